//! Foreign text inside a message: one line, bounded, nothing a terminal would obey.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};

/// `text` with everything invisible escaped, cut after 64 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    if text.chars().nth(64).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that leave no mark on a screen, end a line or change the order of the others: by the tables of Unicode, controls, format
/// characters, the separators of lines and paragraphs, and `Default_Ignorable_Code_Point`.
pub(crate) fn is_hidden(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, Control | Format | LineSeparator | ParagraphSeparator)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_on_its_line() {
        assert_eq!(shown("a\n\u{202e}b`"), "a\\n\\u{202e}b`");
        assert_eq!(shown(&"x".repeat(65)), format!("{}…", "x".repeat(64)));
        assert_eq!(shown(&"x".repeat(64)), "x".repeat(64));
    }
}
