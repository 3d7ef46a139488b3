/* Asks libnss_cache.so.2 what it reads in a directory: probe LIBRARY DIRECTORY < queries. */
#include <dlfcn.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library;
static char path[4096], buffer[4 << 20];

static void set_path(const char *setter, const char *directory, const char *map) {
    snprintf(path, sizeof path, "%s/%s.cache", directory, map);
    ((void (*)(const char *))dlsym(library, setter))(path);
}

int main(int argc, char **argv) {
    char line[512];
    int error, found;
    if (argc != 3 || !(library = dlopen(argv[1], RTLD_NOW))) return fprintf(stderr, "%s\n", dlerror()), 2;
    set_path("_nss_cache_setpwent_path", argv[2], "passwd");
    set_path("_nss_cache_setgrent_path", argv[2], "group");
    set_path("_nss_cache_setspent_path", argv[2], "shadow");
#define ASK(function, key, record) \
    ((int (*)())dlsym(library, "_nss_cache_" function))(key, record, buffer, sizeof buffer, &error)
    while (fgets(line, sizeof line, stdin)) {
        struct passwd pw; struct group gr; struct spwd sp;
        char *key = strchr(line, ' ') + 1;
        key[strcspn(key, "\n")] = 0;
        if (line[0] == 'p' || line[0] == 'u') {
            found = line[0] == 'p' ? ASK("getpwnam_r", key, &pw) : ASK("getpwuid_r", (uid_t)strtoul(key, 0, 10), &pw);
            if (found == 1) printf("%s:%s:%u:%u:%s:%s:%s\n", pw.pw_name, pw.pw_passwd, pw.pw_uid, pw.pw_gid, pw.pw_gecos, pw.pw_dir, pw.pw_shell);
        } else if (line[0] == 'g' || line[0] == 'i') {
            found = line[0] == 'g' ? ASK("getgrnam_r", key, &gr) : ASK("getgrgid_r", (gid_t)strtoul(key, 0, 10), &gr);
            if (found == 1) {
                printf("%s:%s:%u:", gr.gr_name, gr.gr_passwd, gr.gr_gid);
                for (char **member = gr.gr_mem; *member; member++) printf("%s%s", member == gr.gr_mem ? "" : ",", *member);
                printf("\n");
            }
        } else {
            found = ASK("getspnam_r", key, &sp);
            if (found == 1) printf("%s:%s\n", sp.sp_namp, sp.sp_pwdp);
        }
        if (found != 1) printf("%d\n", found);
    }
    return 0;
}
