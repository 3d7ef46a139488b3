//! Characters that leave no mark on a screen, by the tables of Unicode.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory},
};

/// Whether a character leaves no mark or only changes how others look: `Default_Ignorable_Code_Point`
/// or a format character (`Cf`).
///
/// Controls and white space are not among them.
///
/// ```
/// use scim_filter::is_invisible;
///
/// assert!(['\u{ad}', '\u{200d}', '\u{3164}', '\u{fe0f}'].into_iter().all(is_invisible));
/// assert!(!['a', ' ', '\n', '\u{308}'].into_iter().any(is_invisible));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    let is_format = || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format;
    !c.is_ascii()
        && (CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || is_format())
}

/// Whether a character changes the direction of the text around it (`Bidi_Control`).
///
/// ```
/// use scim_filter::is_bidi_control;
///
/// assert!(['\u{200f}', '\u{202e}', '\u{2066}'].into_iter().all(is_bidi_control));
/// assert!(!['\u{200d}', 'א'].into_iter().any(is_bidi_control));
/// ```
#[must_use]
pub fn is_bidi_control(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<BidiControl>().contains(c)
}
