//! `FILTER`, `valuePath`, and the PATCH path built of them.

use super::{
    Parser, Place,
    byte::{NAME, skip, split, starts, trim},
    path::PathText,
};
use crate::{AttrPath, Filter, Op, ParseError, ParseErrorKind as Kind, Path};

type Production<'t> = fn(&mut Parser<'t>) -> Result<Filter, ParseError>;

impl<'t> Parser<'t> {
    /// `FILTER`: terms joined by `or`, which binds loosest.
    pub(super) fn filter(&mut self) -> Result<Filter, ParseError> {
        self.joined("or", Self::conjunction, Filter::Or)
    }

    /// `FILTER` without an `or` that stands in no group.
    fn conjunction(&mut self) -> Result<Filter, ParseError> {
        self.joined("and", Self::term, Filter::And)
    }

    /// One item, or several with `word` between them.
    ///
    /// Nearly always one: it is handed up where it stands, for moving filters is what costs time.
    #[inline]
    fn joined(
        &mut self,
        word: &str,
        item: Production<'t>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, ParseError> {
        let mut read = item(self);
        if read.is_ok() && self.keyword(word) {
            read = read.and_then(|first| self.several(first, word, item, join));
        }
        read
    }

    /// The first item and those behind the first `word`, which is read.
    fn several(
        &mut self,
        first: Filter,
        word: &str,
        item: Production<'t>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, ParseError> {
        let mut terms = Vec::with_capacity(4);
        terms.push(first);
        loop {
            terms.push(item(self)?);
            if !self.keyword(word) {
                return Ok(join(terms));
            }
        }
    }

    /// Reads `word` in any case, where it stands here after blanks and as a whole word.
    fn keyword(&mut self, word: &str) -> bool {
        match after_keyword(self.rest, word) {
            Some(rest) => self.rest = rest,
            None => return false,
        }
        true
    }

    /// `*1"not" "(" FILTER ")" / attrExp / valuePath`.
    fn term(&mut self) -> Result<Filter, ParseError> {
        self.blanks();
        if self.rest.starts_with('(') {
            return self.group();
        }
        if let Some(rest) = after_keyword(self.rest, "not").map(trim)
            && rest.starts_with('(')
        {
            self.rest = rest;
            return Ok(Filter::Not(Box::new(self.group()?)));
        }
        if !starts(self.rest, NAME) {
            return Err(self.error(Kind::Term, 1));
        }
        self.attr_exp()
    }

    /// `"(" FILTER ")"`.
    fn group(&mut self) -> Result<Filter, ParseError> {
        self.open()?;
        let inner = self.filter()?;
        self.close(')', Kind::Group)?;
        Ok(inner)
    }

    /// `attrPath SP "pr" / attrPath SP compareOp SP compValue / valuePath`.
    fn attr_exp(&mut self) -> Result<Filter, ParseError> {
        let at = self.at();
        let path = self.attr_path()?;
        let bracket = self.rest.starts_with('[');
        if self.place == Place::Brackets {
            self.sub_attribute_alone(path, at, bracket)?;
        }
        if bracket {
            return self.value_path(path);
        }
        self.term_at(at)?;
        self.comparison(path)
    }

    /// Inside brackets stand names of sub-attributes, and no more brackets (erratum 4690).
    fn sub_attribute_alone(
        &self,
        path: PathText<'_>,
        at: usize,
        bracket: bool,
    ) -> Result<(), ParseError> {
        if path.name > 0 {
            return Err(self.error_at(Kind::UrnInBracket, at, path.name));
        }
        if bracket {
            return Err(self.error(Kind::BracketInBracket, 1));
        }
        Ok(())
    }

    /// ` SP "pr" / SP compareOp SP compValue` behind the path it applies to.
    fn comparison(&mut self, path: PathText<'_>) -> Result<Filter, ParseError> {
        self.blanks();
        let (word, rest) = split(self.rest, self.word_len());
        if word.eq_ignore_ascii_case("pr") {
            self.rest = rest;
            return Ok(Filter::Present(path.into()));
        }
        let Some(op) = op(word) else {
            return Err(self.error(Kind::Operator, word.len().max(1)));
        };
        self.rest = trim(rest);
        let value = self.comp_value()?;
        Ok(Filter::Compare { attr: path.into(), op, value })
    }

    /// `valuePath = attrPath "[" valFilter "]"`, and the comparison behind it that Entra ID sends.
    fn value_path(&mut self, path: PathText<'_>) -> Result<Filter, ParseError> {
        let mut filter = self.brackets(path)?;
        if let Some(last) = self.compared()? {
            filter = also(filter, last);
        }
        Ok(Filter::ValuePath { attr: path.into(), filter: Box::new(filter) })
    }

    /// `"[" valFilter "]"` behind an attribute.
    fn brackets(&mut self, path: PathText<'_>) -> Result<Filter, ParseError> {
        if path.has_sub() {
            return Err(self.error(Kind::BracketAfterSub, 1));
        }
        self.open()?;
        let outside = std::mem::replace(&mut self.place, Place::Brackets);
        let inner = self.filter()?;
        self.close(']', Kind::Bracket)?;
        self.place = outside;
        Ok(inner)
    }

    /// `.value eq "x"` or ` eq "x"` behind the closing bracket, where the caller's syntax has it.
    fn compared(&mut self) -> Result<Option<Filter>, ParseError> {
        let at = self.at();
        let sub = self.sub_attr()?;
        if sub.is_none() && !self.is_operator() {
            return Ok(None);
        }
        if !self.syntax.value_path_comparison {
            self.blanks();
            return Err(self.error_at(Kind::ComparedValuePath, at, (self.at() - at).max(1)));
        }
        self.term_at(at)?;
        self.comparison(PathText::name(sub.unwrap_or("value"))).map(Some)
    }

    /// `["." ATTRNAME]`.
    fn sub_attr(&mut self) -> Result<Option<&'t str>, ParseError> {
        match self.rest.strip_prefix('.') {
            Some(rest) => self.rest = rest,
            None => return Ok(None),
        }
        self.attr_name(Kind::SubAttribute).map(Some)
    }

    /// Whether an operator follows.
    fn is_operator(&self) -> bool {
        let i = trim(self.rest);
        let word = split(i, super::byte::run(i, NAME)).0;
        op(word).is_some() || word.eq_ignore_ascii_case("pr")
    }

    /// `PATH = attrPath / valuePath ["." ATTRNAME] / attrExp`: Figure 7 with erratum 7122.
    pub(super) fn path(&mut self) -> Result<Path, ParseError> {
        self.blanks();
        let path = self.attr_path()?;
        if self.rest.starts_with('[') {
            let filter = self.brackets(path)?;
            let sub = self.sub_attr()?;
            return Ok(Path::elements(path.into(), filter, sub));
        }
        if path.has_sub() || !self.is_operator() {
            return Ok(AttrPath::from(path).into());
        }
        self.term_at(0)?;
        let filter = self.comparison(PathText::name("value"))?;
        Ok(Path::elements(path.into(), filter, None))
    }
}

/// What follows `word` in any case, where `i` starts with it after blanks and as a whole word.
fn after_keyword<'t>(i: &'t str, word: &str) -> Option<&'t str> {
    let i = trim(i);
    let head = i.as_bytes().get(..word.len())?;
    if !head.eq_ignore_ascii_case(word.as_bytes()) {
        return None;
    }
    Some(skip(i, word.len())).filter(|rest| !starts(rest, NAME))
}

/// `compareOp`, in any case.
fn op(word: &str) -> Option<Op> {
    let &[a, b] = word.as_bytes() else { return None };
    Some(match [a.to_ascii_lowercase(), b.to_ascii_lowercase()] {
        [b'e', b'q'] => Op::Eq,
        [b'n', b'e'] => Op::Ne,
        [b'c', b'o'] => Op::Co,
        [b's', b'w'] => Op::Sw,
        [b'e', b'w'] => Op::Ew,
        [b'g', b't'] => Op::Gt,
        [b'g', b'e'] => Op::Ge,
        [b'l', b't'] => Op::Lt,
        [b'l', b'e'] => Op::Le,
        _ => return None,
    })
}

/// Both filters on one element.
fn also(inner: Filter, last: Filter) -> Filter {
    match inner {
        Filter::And(mut terms) => {
            terms.push(last);
            Filter::And(terms)
        }
        inner => Filter::And(vec![inner, last]),
    }
}
