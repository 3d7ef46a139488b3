//! `FILTER`, `valuePath`, and the PATCH path built of them.

use std::mem;

use nom::{Parser, character::complete::char, sequence::preceded};

use super::{
    Fault, Parsed, Place, Rules,
    byte::{NAME, is, run, skip, starts, trim},
    literal::comp_value,
    path::{PathText, attr_name, attr_path},
};
use crate::{AttrPath, Filter, Op, ParseErrorKind as Kind, Path};

/// `FILTER = attrExp / logExp / valuePath / *1"not" "(" FILTER ")"`, and the blanks behind it.
pub(super) fn filter<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    let (i, first) = term(rules, place, i)?;
    let i = trim(i);
    match join(i) {
        None => Ok((i, first)),
        Some(_) => log_exp(rules, place, first, i),
    }
}

/// `logExp = FILTER SP ("and" / "or") SP FILTER`, behind its first term: `and` binds closer.
fn log_exp<'a>(
    rules: &Rules<'_>,
    place: Place,
    first: Filter,
    mut i: &'a str,
) -> Parsed<'a, Filter> {
    let (mut all, mut any, mut last) = (Vec::new(), Vec::new(), first);
    while let Some((join, rest)) = join(i) {
        match join {
            Join::And => push(&mut all, last),
            Join::Or => push(&mut any, joined(&mut all, last, Filter::And)),
        }
        (i, last) = term(rules, place, rest)?;
        i = trim(i);
    }
    let last = joined(&mut all, last, Filter::And);
    Ok((i, joined(&mut any, last, Filter::Or)))
}

/// What joins two terms.
enum Join {
    And,
    Or,
}

/// `"and" / "or"`, in any case, and what follows it.
#[inline]
fn join(i: &str) -> Option<(Join, &str)> {
    match keyword(i, b"and") {
        Some(rest) => Some((Join::And, rest)),
        None => keyword(i, b"or").map(|rest| (Join::Or, rest)),
    }
}

/// Adds a term that is not the last; most filters have few.
#[inline]
fn push(terms: &mut Vec<Filter>, term: Filter) {
    if terms.is_empty() {
        *terms = Vec::with_capacity(4);
    }
    terms.push(term);
}

/// The terms and the last one, or that alone.
#[inline]
fn joined(terms: &mut Vec<Filter>, last: Filter, join: fn(Vec<Filter>) -> Filter) -> Filter {
    if terms.is_empty() {
        return last;
    }
    terms.push(last);
    join(mem::take(terms))
}

/// What follows `word` in any case, where `i` starts with it as a whole word.
fn keyword<'a, const N: usize>(i: &'a str, word: &[u8; N]) -> Option<&'a str> {
    let (head, rest) = i.as_bytes().split_first_chunk::<N>()?;
    let ends = rest.first().is_none_or(|b| !is(*b, NAME));
    (ends && head.eq_ignore_ascii_case(word)).then(|| skip(i, N))
}

/// `*1"not" "(" FILTER ")" / attrExp / valuePath`.
#[inline]
fn term<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    let i = trim(i);
    if i.starts_with('(') {
        return group(rules, place, i);
    }
    if let Some(rest) = keyword(i, b"not").map(trim)
        && rest.starts_with('(')
    {
        let (rest, inner) = group(rules, place, rest)?;
        return Ok((rest, Filter::Not(Box::new(inner))));
    }
    if !starts(i, NAME) {
        return Err(Fault::of(Kind::Term, i, 1));
    }
    attr_exp(rules, place, i)
}

/// `"(" FILTER ")"`.
fn group<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    rules.enter(i)?;
    let (i, inner) = filter(rules, place, skip(i, 1))?;
    rules.leave();
    close(i, ')', Kind::Group).map(|i| (i, inner))
}

/// The closing bracket, after blanks.
fn close(i: &str, bracket: char, kind: Kind) -> Result<&str, nom::Err<Fault>> {
    let i = trim(i);
    i.strip_prefix(bracket).ok_or_else(|| Fault::of(kind, i, run(i, NAME).max(1)))
}

/// `attrPath SP "pr" / attrPath SP compareOp SP compValue / valuePath`.
#[inline]
fn attr_exp<'a>(rules: &Rules<'_>, place: Place, at: &'a str) -> Parsed<'a, Filter> {
    let (i, path) = attr_path(at)?;
    if place == Place::Brackets && path.name > 0 {
        return Err(Fault::of(Kind::UrnInBracket, at, path.name));
    }
    if i.starts_with('[') {
        return match place {
            Place::Brackets => Err(Fault::of(Kind::BracketInBracket, i, 1)),
            Place::Top => value_path(rules, path, i),
        };
    }
    rules.term(at)?;
    comparison(rules, i, path)
}

/// ` SP "pr" / SP compareOp SP compValue` behind the path it applies to.
#[inline]
fn comparison<'a>(rules: &Rules<'_>, i: &'a str, path: PathText<'_>) -> Parsed<'a, Filter> {
    let i = trim(i);
    let Some((op, rest)) = operator(i) else {
        return Err(Fault::of(Kind::Operator, i, run(i, NAME).max(1)));
    };
    let Operator::Compare(op) = op else {
        return Ok((rest, Filter::Present(path.into())));
    };
    let (rest, value) = comp_value(rules, trim(rest))?;
    Ok((rest, Filter::Compare { attr: path.into(), op, value }))
}

/// What may follow a path.
enum Operator {
    Present,
    Compare(Op),
}

/// `"pr" / compareOp`, in any case, and what follows it.
#[inline]
fn operator(i: &str) -> Option<(Operator, &str)> {
    let (&[a, b], rest) = i.as_bytes().split_first_chunk()?;
    if rest.first().is_some_and(|b| is(*b, NAME)) {
        return None;
    }
    let op = match [a.to_ascii_lowercase(), b.to_ascii_lowercase()] {
        [b'e', b'q'] => Op::Eq,
        [b'p', b'r'] => return Some((Operator::Present, skip(i, 2))),
        [b'n', b'e'] => Op::Ne,
        [b'c', b'o'] => Op::Co,
        [b's', b'w'] => Op::Sw,
        [b'e', b'w'] => Op::Ew,
        [b'g', b't'] => Op::Gt,
        [b'g', b'e'] => Op::Ge,
        [b'l', b't'] => Op::Lt,
        [b'l', b'e'] => Op::Le,
        _ => return None,
    };
    Some((Operator::Compare(op), skip(i, 2)))
}

/// `valuePath = attrPath "[" valFilter "]"`, and the comparison behind it that Entra ID sends.
fn value_path<'a>(rules: &Rules<'_>, path: PathText<'_>, i: &'a str) -> Parsed<'a, Filter> {
    let (i, inner) = brackets(rules, path, i)?;
    let (i, filter) = match compared(rules, i)? {
        (i, Some(last)) => (i, also(inner, last)),
        (i, None) => (i, inner),
    };
    Ok((i, Filter::ValuePath { attr: path.into(), filter: Box::new(filter) }))
}

/// `"[" valFilter "]"` behind an attribute.
fn brackets<'a>(rules: &Rules<'_>, path: PathText<'_>, i: &'a str) -> Parsed<'a, Filter> {
    if path.has_sub() {
        return Err(Fault::of(Kind::BracketAfterSub, i, 1));
    }
    rules.enter(i)?;
    let in_filter = |error: nom::Err<Fault>| error.map(|fault| Fault { in_filter: true, ..fault });
    let (i, inner) = filter(rules, Place::Brackets, skip(i, 1)).map_err(in_filter)?;
    rules.leave();
    close(i, ']', Kind::Bracket).map(|i| (i, inner)).map_err(in_filter)
}

/// `.value eq "x"` or ` eq "x"` behind the closing bracket, where the caller's syntax has it.
fn compared<'a>(rules: &Rules<'_>, i: &'a str) -> Parsed<'a, Option<Filter>> {
    let (after, sub) = sub_attr(i)?;
    if sub.is_none() && operator(trim(after)).is_none() {
        return Ok((i, None));
    }
    if !rules.syntax.value_path_comparison {
        let len = i.len() - trim(after).len();
        return Err(Fault::of(Kind::ComparedValuePath, i, len.max(1)));
    }
    rules.term(i)?;
    let text = sub.unwrap_or("value");
    let path = PathText { text, name: 0, end: text.len() };
    comparison(rules, after, path).map(|(i, last)| (i, Some(last)))
}

/// `["." ATTRNAME]`.
fn sub_attr(i: &str) -> Parsed<'_, Option<&str>> {
    if !i.starts_with('.') {
        return Ok((i, None));
    }
    preceded(char('.'), |i| attr_name(i, Kind::SubAttribute)).map(Some).parse(i)
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

/// `PATH = attrPath / valuePath ["." ATTRNAME] / attrExp`: Figure 7 with erratum 7122.
pub(super) fn path<'a>(rules: &Rules<'_>, i: &'a str) -> Parsed<'a, Path> {
    let (i, path) = attr_path(trim(i))?;
    if i.starts_with('[') {
        let (i, filter) = brackets(rules, path, i)?;
        let (i, sub) = sub_attr(i)?;
        return Ok((i, Path::elements(path.into(), filter, sub)));
    }
    if path.has_sub() || operator(trim(i)).is_none() {
        return Ok((i, AttrPath::from(path).into()));
    }
    rules.term(i)?;
    let value = PathText { text: "value", name: 0, end: 5 };
    let (i, filter) = comparison(rules, i, value)?;
    Ok((i, Path::elements(path.into(), filter, None)))
}
