//! What is left of a name when everything that only makes it look different is taken off.

use scim_core::filter::{fold, is_invisible};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton as prototype;

/// The form that all disguises of a name share: wide and styled letters, capitals, look-alikes of other scripts, marks, invisible
/// characters, blanks and separators are gone; `1`, `l`, `|` and `i` are one, as are `0` and `o`, `rn` and `m`.
///
/// Over-cautious on purpose: it compares names with a few protected ones and with nothing else.
///
/// Source: UTS #39 §4.
///
/// # Examples
///
/// ```
/// use cw_iam_model::rules::skeleton;
///
/// assert_eq!(skeleton("wr\u{200b}ité"), skeleton("Write"));
/// assert_ne!(skeleton("writer"), skeleton("write"));
/// ```
pub fn skeleton(name: &str) -> String {
    let is_sign = |c: &char| !is_combining_mark(*c) && !is_invisible(*c);
    let letters = name.nfkd().filter(is_sign).map(look);
    let letters: String = letters.collect::<String>().nfkd().collect();
    let kept = letters.chars().filter(|c| c.is_alphanumeric() || *c == '|').map(one_stroke);
    kept.collect::<String>().replace("rn", "m")
}

/// What a letter looks like: the small Latin letter where UTS #39 has one for it as it stands or for its capital, else its own prototype.
fn look(c: char) -> String {
    if let Some(letter) = small_capital(c) {
        return letter.to_string();
    }
    let upper: String = c.to_uppercase().collect();
    let mut looks = [c.to_string(), upper].into_iter().map(|it| prototype(&it).collect::<String>());
    let latin = looks.find(|look| look.is_ascii());
    let own = || prototype(&fold(&c.to_string())).collect();
    fold(&latin.unwrap_or_else(own)).into_owned()
}

/// The Latin small capitals, which have no capitals of their own.
fn small_capital(c: char) -> Option<char> {
    const SMALL: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
    SMALL.chars().zip('a'..='z').find(|(small, _)| *small == c).map(|(_, letter)| letter)
}

/// Signs that many typefaces draw alike, and that UTS #39 maps to `l` or tells apart.
fn one_stroke(c: char) -> char {
    match c {
        'l' | '1' | '|' | 'ı' => 'i',
        '0' => 'o',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::skeleton;

    // sec:G-02
    #[test]
    fn look_alikes_are_one() {
        for (name, disguises) in [
            (
                "admin",
                "ADMIN аdмin ᴀᴅᴍɪɴ ⒶⒹⓂⒾⓃ 𝐚𝐝𝐦𝐢𝐧 ａｄｍｉｎ adrnin adm1n admıń ΑDΜΙΝ a.d.m.i.n",
            ),
            ("write", "WRITE wrіtе ᴡʀɪᴛᴇ wr1te ŵrïté 𝓌𝓇𝒾𝓉ℯ"),
            (
                "billing_viewer",
                "billing-viewer bi11ing.νiewer BILLING_VΙEWER ʙɪʟʟɪɴɢ_ᴠɪᴇᴡᴇʀ bIIIing_viewer",
            ),
            ("metrics", "metriсѕ METRICS ｍetrics rnetrics meṭrics"),
            ("read\u{3164}\u{fe0f}\u{115f}", "\u{2062}read \u{ffa0}re\u{e0101}ad"),
            ("read", "rеad гead ʀᴇᴀᴅ REAⅮ"),
        ] {
            let missed: Vec<_> =
                disguises.split(' ').filter(|it| skeleton(it) != skeleton(name)).collect();
            assert_eq!(missed, [""; 0], "{name}");
        }
    }
}
