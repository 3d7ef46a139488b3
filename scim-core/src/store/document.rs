//! Stored JSON that is parsed when somebody asks, and only once.

use std::sync::{Arc, OnceLock};

use super::StoreError;
use crate::Object;

/// One of the two parts of a stored resource.
///
/// # Examples
///
/// ```
/// use scim_core::store::Document;
///
/// let document = Document::from_text(r#"{"userName":"ada"}"#);
/// assert_eq!(document.object().unwrap().top("userName").unwrap(), "ada");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Document {
    text: Option<Arc<str>>,
    object: OnceLock<Arc<Object>>,
}

impl Document {
    /// A document that was stored as text.
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        Self { text: Some(text.into()), object: OnceLock::new() }
    }

    /// The attributes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where the text is not what was once written.
    pub fn object(&self) -> Result<&Object, StoreError> {
        if let Some(object) = self.object.get() {
            return Ok(object);
        }
        let text = self.text.as_deref().unwrap_or("{}");
        let object = serde_json::from_str(text)
            .map_err(|error| StoreError::Corrupt(format!("a document is not JSON: {error}")))?;
        Ok(self.object.get_or_init(|| Arc::new(object)))
    }
}

impl From<Object> for Document {
    fn from(object: Object) -> Self {
        Self { text: None, object: OnceLock::from(Arc::new(object)) }
    }
}
