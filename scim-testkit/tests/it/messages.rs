//! Each text of an error that a client can see stands in a snapshot or in an assertion.

use std::{
    fs,
    path::{Path, PathBuf},
};

use scim_testkit::programs::skip;

/// The crates whose errors go over the wire.
const CRATES: [&str; 4] = ["scim-filter", "scim-core", "cw-iam-model", "adapters/scim-tower"];

#[test]
fn every_error_text_that_a_client_can_see_is_in_a_snapshot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if !root.join("docs/DESIGN.md").exists() {
        return skip("the crate is built outside its workspace");
    }
    let mut sources = vec![];
    for name in CRATES {
        collect(&root.join(name).join("src"), &mut sources);
    }
    let mut everything = vec![];
    collect(&root, &mut everything);
    let shown: Vec<String> =
        everything.iter().flat_map(|path| lines_of_tests(&root, path)).collect();
    let (mut count, mut missing) = (0, vec![]);
    for path in sources.iter().filter(|path| path.extension().is_some_and(|it| it == "rs")) {
        if path.ends_with("tests.rs") {
            continue;
        }
        for text in texts(&code(&fs::read_to_string(path).unwrap())) {
            count += 1;
            let pieces = pieces(&text);
            if !shown.iter().any(|line| stands_in(&pieces, line)) {
                missing.push(format!("{}: {text}", path.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(count > 150, "{count} texts");
    assert!(missing.is_empty(), "in no snapshot:\n{}", missing.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') && name != "node_modules" {
                collect(&path, files);
            }
        } else if name.ends_with(".rs") || name.ends_with(".snap") {
            files.push(path);
        }
    }
}

/// The lines of a file that belong to tests, without the escapes of text in quotes.
fn lines_of_tests(root: &Path, path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let relative = path.strip_prefix(root).unwrap();
    let is_test = relative.components().any(|part| part.as_os_str() == "tests")
        || path.ends_with("tests.rs")
        || path.extension().is_some_and(|it| it == "snap");
    let tests = match is_test {
        true => text.as_str(),
        false => text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests),
    };
    tests.lines().map(unescaped).collect()
}

/// The code of a file: neither comments nor tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The texts in quotes inside each call that makes a `ScimError`, and in each `#[error("…")]`. An
/// `internal` error tells of a broken invariant, which no request can provoke.
fn texts(code: &str) -> Vec<String> {
    let mut found = vec![];
    for (start, end) in [("ScimError::", ')'), ("#[error(", ')')] {
        for part in code.split(start).skip(1) {
            let inside = match start {
                "ScimError::" => part.split_once('(').filter(|(name, _)| {
                    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
                    name.bytes().all(is_name) && *name != "internal"
                }),
                _ => Some(("", part)),
            };
            let Some((_, inside)) = inside else { continue };
            found.extend(quoted(inside, end).into_iter().filter(|text| text.contains(' ')));
        }
    }
    found
}

/// The texts in quotes up to the parenthesis that closes.
fn quoted(code: &str, end: char) -> Vec<String> {
    let (mut texts, mut depth, mut chars) = (vec![], 1, code.chars());
    while let Some(c) = chars.next() {
        match c {
            '(' => depth += 1,
            c if c == end => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    text.push(c);
                    if c == '\\' {
                        text.extend(chars.next());
                    }
                }
                texts.push(text);
            }
            _ => {}
        }
    }
    texts
}

fn unescaped(text: &str) -> String {
    text.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// What of a text is the same each time, between the values that it shows.
fn pieces(text: &str) -> Vec<String> {
    let joined: Vec<&str> = text.split("\\\n").map(str::trim_start).collect();
    let (mut pieces, mut piece, mut inside) = (vec![], String::new(), false);
    let text = unescaped(&joined.concat()).replace("{{", "\u{1}").replace("}}", "\u{2}");
    for c in text.chars() {
        match c {
            '{' => {
                inside = true;
                pieces.push(std::mem::take(&mut piece));
            }
            '}' => inside = false,
            _ if inside => {}
            '\u{1}' => piece.push('{'),
            '\u{2}' => piece.push('}'),
            c => piece.push(c),
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

fn stands_in(pieces: &[String], line: &str) -> bool {
    let mut rest = line;
    pieces.iter().all(|piece| match rest.split_once(piece.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
