//! From names to attributes and from literals to operands: all that can be refused without a resource.

mod error;
mod value;

use std::fmt;

pub use error::BindError;

use crate::{AttrPath, Attribute, Bound, Filter, Literal, Op, Operand, Type};

/// What the paths of a filter mean; a schema, or several.
///
/// Names and URNs are looked up without regard to letter case, and attributes come out in the schema's
/// spelling.
pub trait Resolve {
    /// What a path at the top of a filter names.
    fn resolve(&self, path: &AttrPath) -> Resolution;

    /// What a name inside the brackets behind `parent`, a complex attribute, means. `value` is also
    /// asked for where a filter compares a complex attribute itself.
    fn sub_attribute(&self, parent: &Attribute, name: &str) -> Resolution;
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// An attribute.
    Found(Attribute),
    /// An attribute of another resource type than the one looked at, where several are: here it has
    /// no value (RFC 7644 §3.4.2.1).
    NoValue,
    /// Nothing.
    Unknown,
    /// An attribute that no filter may ask about, such as `password`.
    Forbidden,
}

/// Which literals are taken for a value of another type.
///
/// A number is never taken for text: that is how a wrong account is found.
///
/// ```
/// use scim_filter::Coercion;
///
/// // A dialect of one's own, also in a `const`.
/// let mut coercion = Coercion::STRICT;
/// coercion.boolean_strings = true;
/// assert_ne!(coercion, Coercion::TOLERANT);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coercion {
    /// `active eq "True"`: `"true"` and `"false"` in any case are booleans.
    pub boolean_strings: bool,
    /// `employeeCount eq "5"`: a JSON number in quotes is that number.
    pub number_strings: bool,
    /// `manager eq "26118915"`: a complex attribute with one value stands for its `value`, as one with
    /// several always does.
    pub complex_value: bool,
}

impl Coercion {
    /// Literals as RFC 7644 has them.
    pub const STRICT: Self =
        Self { boolean_strings: false, number_strings: false, complex_value: false };
    /// All that identity providers are known to send and that can mean only one thing.
    pub const TOLERANT: Self =
        Self { boolean_strings: true, number_strings: true, complex_value: true };
}

impl Filter {
    /// Gives the filter a meaning: paths become attributes, literals values of their types.
    ///
    /// Decided here, once for all backends:
    ///
    /// - a bare multi-valued complex attribute stands for its `value`;
    /// - `eq null` is "has no value", `ne null` is `pr`;
    /// - `primary eq false` also holds for an element that says nothing about `primary`;
    /// - a path with no value in this resource type is compared as an attribute without value.
    ///
    /// ```
    /// use scim_filter::{
    ///     AttrPath, Attribute, Bound, Coercion, Filter, Location, Resolution, Resolve, Type,
    /// };
    ///
    /// struct Titles;
    ///
    /// impl Resolve for Titles {
    ///     fn resolve(&self, path: &AttrPath) -> Resolution {
    ///         match path.name().to_ascii_lowercase().as_str() {
    ///             "title" => Resolution::Found(Attribute::new(Location::new("title"), Type::String)),
    ///             _ => Resolution::Unknown,
    ///         }
    ///     }
    ///     fn sub_attribute(&self, _: &Attribute, _: &str) -> Resolution {
    ///         Resolution::Unknown
    ///     }
    /// }
    ///
    /// let bind = |text: &str| text.parse::<Filter>().unwrap().bind(&Titles, &Coercion::STRICT);
    /// assert_eq!(bind(r#"TITLE eq "Tour Guide""#)?.to_string(), r#"title eq "tour guide""#);
    /// assert_eq!(bind("title eq null")?, bind("not (title pr)")?);
    /// assert_eq!(
    ///     bind("titel pr").unwrap_err().to_string(),
    ///     "`titel` is no attribute here, expected a name from the schema"
    /// );
    /// # Ok::<(), scim_filter::BindError>(())
    /// ```
    ///
    /// RFC 7644 §3.4.2.2, and §3.4.2.1 for the last.
    ///
    /// # Errors
    /// [`BindError`] where a path names nothing, or an operator or literal does not go with the type.
    pub fn bind(&self, resolver: &dyn Resolve, coercion: &Coercion) -> Result<Bound, BindError> {
        Binder { resolver, coercion, list: None }.bind(self)
    }

    /// Gives a filter over one element of `parent` a meaning: its paths are names inside the brackets behind `parent`.
    ///
    /// ```
    /// use scim_filter::{
    ///     AttrPath, Attribute, Coercion, Filter, Location, Resolution, Resolve, Scalar, Type,
    /// };
    ///
    /// struct Nothing;
    ///
    /// impl Resolve for Nothing {
    ///     fn resolve(&self, _: &AttrPath) -> Resolution {
    ///         Resolution::Unknown
    ///     }
    ///     fn sub_attribute(&self, _: &Attribute, _: &str) -> Resolution {
    ///         Resolution::Unknown
    ///     }
    /// }
    ///
    /// // The elements of a simple attribute are its values.
    /// let tags = Attribute::new(Location::new("tags"), Type::String).multi_valued();
    /// let filter: Filter = r#"value eq "Red""#.parse()?;
    /// let bound = filter.bind_element(&tags, &Nothing, &Coercion::STRICT)?;
    /// assert!(bound.matches(&Scalar::Text("red")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BindError`] as [`bind`](Self::bind).
    pub fn bind_element(
        &self,
        parent: &Attribute,
        resolver: &dyn Resolve,
        coercion: &Coercion,
    ) -> Result<Bound, BindError> {
        let list = List { attribute: parent, name: &parent.location };
        Binder { resolver, coercion, list: Some(list) }.bind(self)
    }
}

/// Binds terms at the top of a filter, or inside the brackets behind `list`.
struct Binder<'a> {
    resolver: &'a dyn Resolve,
    coercion: &'a Coercion,
    list: Option<List<'a>>,
}

/// What stands before a bracket.
#[derive(Clone, Copy)]
struct List<'a> {
    attribute: &'a Attribute,
    /// As an error shows it: the client's own name, for a resolver may find the attribute under
    /// a location that no client knows.
    name: &'a dyn fmt::Display,
}

impl Binder<'_> {
    fn bind(&self, filter: &Filter) -> Result<Bound, BindError> {
        match filter {
            Filter::And(terms) => self.each(terms).map(Bound::all),
            Filter::Or(terms) => self.each(terms).map(Bound::any),
            Filter::Not(term) => self.bind(term).map(Bound::negated),
            Filter::Compare { attr, op, value } => self.compare(attr, *op, value),
            Filter::Present(attr) => {
                Ok(self.resolve(attr)?.map_or(Bound::Always(false), Bound::Present))
            }
            Filter::ValuePath { attr, filter } => self.value_path(attr, filter),
        }
    }

    fn each(&self, terms: &[Filter]) -> Result<Vec<Bound>, BindError> {
        terms.iter().map(|term| self.bind(term)).collect()
    }

    /// The attribute a path names, `None` where it has no value here.
    fn resolve(&self, path: &AttrPath) -> Result<Option<Attribute>, BindError> {
        let resolution = match self.list.map(|list| list.attribute) {
            None => self.resolver.resolve(path),
            Some(_) if path.sub().is_some() => Resolution::Unknown,
            Some(parent) if parent.kind == Type::Complex => {
                self.resolver.sub_attribute(parent, path.name())
            }
            Some(parent) if path.name().eq_ignore_ascii_case("value") => {
                Resolution::Found(parent.clone())
            }
            Some(_) => Resolution::Unknown,
        };
        match resolution {
            Resolution::Found(attribute) => Ok(Some(attribute)),
            Resolution::NoValue => Ok(None),
            Resolution::Unknown => Err(BindError::Unknown { path: self.shown(path) }),
            Resolution::Forbidden => Err(BindError::Forbidden { path: self.shown(path) }),
        }
    }

    fn value_path(&self, path: &AttrPath, filter: &Filter) -> Result<Bound, BindError> {
        let Some(attribute) = self.resolve(path)? else {
            return Ok(Bound::Always(false));
        };
        if !attribute.multi_valued && attribute.kind != Type::Complex {
            return Err(BindError::NoElements { path: self.shown(path) });
        }
        let list = List { attribute: &attribute, name: path };
        let filter = Binder { list: Some(list), ..*self }.bind(filter)?;
        Ok(Bound::element(attribute, filter))
    }

    fn compare(&self, path: &AttrPath, op: Op, value: &Literal) -> Result<Bound, BindError> {
        let Some(attribute) = self.resolve(path)? else {
            // Unassigned: not equal to anything but null.
            let equal = *value == Literal::Null;
            return Ok(Bound::Always((op == Op::Eq && equal) || (op == Op::Ne && !equal)));
        };
        if *value == Literal::Null {
            return self.unassigned(path, attribute, op);
        }
        let attribute = self.simple(path, attribute, op)?;
        if !applies(op, attribute.kind) {
            let kind = attribute.kind;
            return Err(BindError::Operator { path: self.shown(path), op, kind });
        }
        let bound = self.comparison(path, &attribute, op, value)?;
        match bound {
            Bound::Compare { operand: Operand::Boolean(false), .. } if is_primary(&attribute) => {
                self.not_primary(path, attribute, op)
            }
            bound => Ok(bound),
        }
    }

    /// `eq null` and `ne null`.
    fn unassigned(
        &self,
        path: &AttrPath,
        attribute: Attribute,
        op: Op,
    ) -> Result<Bound, BindError> {
        match op {
            Op::Eq => Ok(Bound::Present(attribute).negated()),
            Op::Ne => Ok(Bound::Present(attribute)),
            _ => Err(BindError::Null { path: self.shown(path), op }),
        }
    }

    /// The attribute, or the `value` that a complex one stands for.
    fn simple(
        &self,
        path: &AttrPath,
        attribute: Attribute,
        op: Op,
    ) -> Result<Attribute, BindError> {
        if attribute.kind != Type::Complex {
            return Ok(attribute);
        }
        let stands = attribute.multi_valued || self.coercion.complex_value;
        match self.resolver.sub_attribute(&attribute, "value") {
            Resolution::Found(value) if stands && value.kind != Type::Complex => Ok(value),
            _ => Err(BindError::Complex { path: self.shown(path), op }),
        }
    }

    /// `primary eq false` and `ne false`: an element that says nothing is not the primary one.
    fn not_primary(
        &self,
        path: &AttrPath,
        attribute: Attribute,
        op: Op,
    ) -> Result<Bound, BindError> {
        let operand = Operand::Boolean(true);
        let primary = Bound::Compare { attribute, op: Op::Eq, operand };
        let found = match self.list {
            Some(_) => primary.negated(),
            None => match self.resolver.resolve(&path.parent()) {
                Resolution::Found(parent) => Bound::element(parent, primary.negated()),
                _ => return Err(BindError::Unknown { path: self.shown(path) }),
            },
        };
        Ok(if op == Op::Eq { found } else { found.negated() })
    }

    /// The path as an error shows it, with what stands before the bracket.
    fn shown(&self, path: &AttrPath) -> Box<str> {
        let mut shown = match self.list {
            Some(list) => format!("{}.{path}", list.name),
            None => path.to_string(),
        };
        if shown.len() > 128 {
            shown.truncate(shown.floor_char_boundary(128));
            shown.push('…');
        }
        shown.into()
    }
}

/// The operator × type table of RFC 7644 §3.4.2.2; what it leaves open is refused.
fn applies(op: Op, kind: Type) -> bool {
    match kind {
        Type::String | Type::Reference => true,
        Type::Integer | Type::Decimal | Type::DateTime => !op.is_substring(),
        Type::Boolean | Type::Binary => !op.is_substring() && !op.is_ordering(),
        Type::Complex => false,
    }
}

fn is_primary(attribute: &Attribute) -> bool {
    attribute.location.sub.as_deref() == Some("primary") && attribute.multi_valued
}
