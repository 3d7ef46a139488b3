//! From names to attributes and from literals to operands: all that can be refused without a resource.

use crate::{AttrPath, Attribute, Bound, Case, Filter, Instant, Literal, Op, Operand, Type, fold};

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

/// A filter that means nothing for the schema it is bound to.
///
/// One line that may go to a client: it names attributes, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The path names no attribute.
    #[error("`{path}` is no attribute here, expected a name from the schema")]
    Unknown {
        /// The path, cut where it is long.
        path: Box<str>,
    },
    /// The attribute may not be asked about.
    #[error("`{path}` cannot be used in a filter, expected another attribute")]
    Forbidden {
        /// The path.
        path: Box<str>,
    },
    /// A complex attribute is compared.
    #[error("`{path}` is complex, expected one of its sub-attributes before `{op}`")]
    Complex {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
    /// Brackets follow an attribute without elements.
    #[error("`{path}` has one simple value, expected a multi-valued attribute before `[`")]
    NoElements {
        /// The path.
        path: Box<str>,
    },
    /// The operator means nothing for the type.
    #[error("`{path}` is of type {kind}, expected {} instead of `{op}`", operators(*kind))]
    Operator {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
        /// The attribute's type.
        kind: Type,
    },
    /// `null` with an operator other than `eq` and `ne`.
    #[error("`{path}` is compared with null, expected eq or ne instead of `{op}`")]
    Null {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
    /// The literal is not of the attribute's type.
    #[error("`{path}` is of type {kind}, expected {} after `{op}`", literal(*kind))]
    Literal {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
        /// The attribute's type.
        kind: Type,
    },
    /// The literal holds a character that no such value holds.
    #[error("`{path}` holds no control characters, expected none after `{op}`")]
    Control {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
    /// The text looked for is longer than [`Bound::PATTERN_BYTES`].
    #[error("`{path}` is searched for a long text, expected at most 1024 bytes after `{op}`")]
    Pattern {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
}

impl Bound {
    /// The longest text that `co`, `sw` and `ew` look for.
    pub const PATTERN_BYTES: usize = 1024;
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
        Binder { resolver, coercion, parent: None }.bind(self)
    }
}

/// Binds terms at the top of a filter, or inside the brackets behind `parent`.
struct Binder<'a> {
    resolver: &'a dyn Resolve,
    coercion: &'a Coercion,
    parent: Option<&'a Attribute>,
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
        let resolution = match self.parent {
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
        let filter = Binder { parent: Some(&attribute), ..*self }.bind(filter)?;
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
        let operand = self.operand(path, &attribute, op, value)?;
        if is_primary(&attribute) && operand == Operand::Boolean(false) {
            return self.not_primary(path, attribute, op);
        }
        let second = either(&attribute, op, value);
        let with = |operand| Bound::Compare { attribute: attribute.clone(), op, operand };
        Ok(match second.filter(|second| *second != operand) {
            Some(second) => Bound::any([with(operand), with(second)]),
            None => with(operand),
        })
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
        let found = match self.parent {
            Some(_) => primary.negated(),
            None => match self.resolver.resolve(&path.parent()) {
                Resolution::Found(parent) => Bound::element(parent, primary.negated()),
                _ => return Err(BindError::Unknown { path: self.shown(path) }),
            },
        };
        Ok(if op == Op::Eq { found } else { found.negated() })
    }

    fn operand(
        &self,
        path: &AttrPath,
        attribute: &Attribute,
        op: Op,
        value: &Literal,
    ) -> Result<Operand, BindError> {
        let kind = attribute.kind;
        let operand = match (kind, value) {
            (Type::Boolean, Literal::Boolean(value)) => Some(Operand::Boolean(*value)),
            (Type::Boolean, Literal::String(text)) if self.coercion.boolean_strings => {
                boolean(text)
            }
            (Type::Integer | Type::Decimal, Literal::Integer(value)) => {
                Some(Operand::Integer(*value))
            }
            (Type::Integer | Type::Decimal, Literal::Decimal(value)) => Some(decimal(*value)),
            (Type::Integer | Type::Decimal, Literal::String(text))
                if self.coercion.number_strings =>
            {
                number(text)
            }
            (Type::DateTime, Literal::String(text)) => Instant::parse(text).map(Operand::Instant),
            (Type::Binary, Literal::String(text)) => base64(text).map(Operand::Binary),
            (Type::Reference, Literal::String(text)) => Some(Operand::Text((**text).into())),
            (Type::String, Literal::String(text)) => {
                Some(Operand::Text(attribute.case.key(text).into()))
            }
            _ => None,
        };
        let operand =
            operand.ok_or_else(|| BindError::Literal { path: self.shown(path), op, kind })?;
        self.storable(path, attribute, op, &operand)?;
        Ok(operand)
    }

    /// Refuses text that no value holds and no backend should be asked for.
    fn storable(
        &self,
        path: &AttrPath,
        attribute: &Attribute,
        op: Op,
        operand: &Operand,
    ) -> Result<(), BindError> {
        let Operand::Text(text) = operand else { return Ok(()) };
        let name = attribute.case == Case::Name;
        if text.contains(|c: char| c == '\0' || (name && c.is_control())) {
            return Err(BindError::Control { path: self.shown(path), op });
        }
        if op.is_substring() && text.len() > Bound::PATTERN_BYTES {
            return Err(BindError::Pattern { path: self.shown(path), op });
        }
        Ok(())
    }

    /// The path as an error shows it, with what stands before the bracket.
    fn shown(&self, path: &AttrPath) -> Box<str> {
        let mut shown = match self.parent {
            Some(parent) => format!("{}.{path}", parent.location),
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

fn operators(kind: Type) -> &'static str {
    match kind {
        Type::Boolean | Type::Binary => "eq, ne or pr",
        Type::Complex => "pr",
        _ => "eq, ne, gt, ge, lt, le or pr",
    }
}

fn literal(kind: Type) -> &'static str {
    match kind {
        Type::Boolean => "true or false",
        Type::Integer | Type::Decimal => "a number",
        Type::DateTime => "a date and time like `\"2011-05-13T04:42:34Z\"`",
        Type::Binary => "base64 in double quotes",
        Type::String | Type::Reference | Type::Complex => "a string in double quotes",
    }
}

fn is_primary(attribute: &Attribute) -> bool {
    attribute.location.sub.as_deref() == Some("primary") && attribute.multi_valued
}

/// Inside a longer user name the text may have been folded in the other way, so both are looked for.
fn either(attribute: &Attribute, op: Op, value: &Literal) -> Option<Operand> {
    let Literal::String(text) = value else { return None };
    let both = attribute.kind == Type::String && attribute.case == Case::Name && op.is_substring();
    both.then(|| Operand::Text(fold(text).into()))
}

fn boolean(text: &str) -> Option<Operand> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    (is("true") || is("false")).then(|| Operand::Boolean(is("true")))
}

/// A number in quotes, by the same grammar as one without.
fn number(text: &str) -> Option<Operand> {
    match crate::parse::number(text)? {
        Literal::Integer(value) => Some(Operand::Integer(value)),
        Literal::Decimal(value) => Some(decimal(value)),
        _ => None,
    }
}

/// A decimal, as an integer where it is one.
fn decimal(value: f64) -> Operand {
    // 2^63 is the first that an i64 does not hold; below it the cast is exact.
    let integral = value.fract() == 0.0 && (-TWO_63..TWO_63).contains(&value);
    if integral { Operand::Integer(value as i64) } else { Operand::Decimal(value) }
}

const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// Base64 in one spelling: the standard alphabet, no padding.
fn base64(text: &str) -> Option<Box<str>> {
    let body = text.trim_end_matches('=');
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let padded = text.len() - body.len() <= 2 && body.len() % 4 != 1;
    (padded && body.bytes().all(valid)).then(|| body.replace('-', "+").replace('_', "/").into())
}
