#![doc = include_str!("../README.md")]

mod attribute;
mod bind;
mod blank;
mod bound;
pub mod build;
mod error;
mod eval;
mod filter;
mod fold;
mod instant;
mod invisible;
#[cfg(feature = "json")]
mod json;
mod key;
mod limits;
mod literal;
mod operand;
mod parse;
mod path;
#[cfg(feature = "serde")]
mod serde;
mod sort;
pub mod sql;

pub use attribute::{Attribute, Case, Location, Type};
pub use bind::{BindError, Coercion, Resolution, Resolve};
pub use bound::Bound;
pub use error::{ParseError, ParseErrorKind};
pub use eval::{Read, Scalar};
pub use filter::{Filter, Op};
pub use fold::{FOLD_VERSION, fold, fold_label, fold_name};
pub use instant::{Instant, InvalidInstant};
pub use invisible::{is_bidi_control, is_invisible};
#[cfg(feature = "json")]
pub use json::Element;
pub use key::base64;
pub use limits::{Limits, Syntax};
pub use literal::{Literal, Text};
pub use operand::{Operand, Operands};
pub use path::{AttrPath, Path};
pub use sort::SortKey;
