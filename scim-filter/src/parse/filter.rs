//! `FILTER`, `valuePath`, and the PATCH path built of them.

use nom::{Parser, character::complete::char, combinator::opt, sequence::preceded};

use super::{
    Fault, Parsed, Place, Rules,
    byte::{NAME, run, skip, split, starts, trim},
    literal::comp_value,
    path::{PathText, attr_name, attr_path},
};
use crate::{AttrPath, Filter, Op, ParseErrorKind as Kind, Path};

/// `FILTER`: terms joined by `or`, which binds loosest.
pub(super) fn filter<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    joined(rules, place, i, "or", conjunction, Filter::Or)
}

/// `FILTER` without an `or` that stands in no group.
fn conjunction<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    joined(rules, place, i, "and", term, Filter::And)
}

type Production = for<'a> fn(&Rules<'_>, Place, &'a str) -> Parsed<'a, Filter>;

/// One item, or several with `word` between them.
fn joined<'a>(
    rules: &Rules<'_>,
    place: Place,
    i: &'a str,
    word: &str,
    item: Production,
    join: fn(Vec<Filter>) -> Filter,
) -> Parsed<'a, Filter> {
    let (i, first) = item(rules, place, i)?;
    let Some(mut rest) = keyword(i, word) else {
        return Ok((i, first));
    };
    let mut terms = Vec::with_capacity(4);
    terms.push(first);
    loop {
        let (i, term) = item(rules, place, rest)?;
        terms.push(term);
        match keyword(i, word) {
            Some(more) => rest = more,
            None => return Ok((i, join(terms))),
        }
    }
}

/// What follows `word` in any case, where `i` starts with it after blanks and as a whole word.
fn keyword<'a>(i: &'a str, word: &str) -> Option<&'a str> {
    let i = trim(i);
    let head = i.as_bytes().get(..word.len())?;
    let rest = skip(i, word.len());
    (head.eq_ignore_ascii_case(word.as_bytes()) && !starts(rest, NAME)).then_some(rest)
}

/// `*1"not" "(" FILTER ")" / attrExp / valuePath`.
fn term<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    let i = trim(i);
    if i.starts_with('(') {
        return group(rules, place, i);
    }
    if let Some(rest) = keyword(i, "not").map(trim)
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
fn comparison<'a>(rules: &Rules<'_>, i: &'a str, path: PathText<'_>) -> Parsed<'a, Filter> {
    let i = trim(i);
    let (word, rest) = split(i, run(i, NAME));
    if word.eq_ignore_ascii_case("pr") {
        return Ok((rest, Filter::Present(path.into())));
    }
    let Some(op) = op(word) else {
        return Err(Fault::of(Kind::Operator, i, word.len().max(1)));
    };
    let (rest, value) = comp_value(rules, trim(rest))?;
    Ok((rest, Filter::Compare { attr: path.into(), op, value }))
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
    if sub.is_none() && !is_operator(after) {
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
    opt(preceded(char('.'), |i| attr_name(i, Kind::SubAttribute))).parse(i)
}

/// Whether an operator follows.
fn is_operator(i: &str) -> bool {
    let i = trim(i);
    let word = split(i, run(i, NAME)).0;
    op(word).is_some() || word.eq_ignore_ascii_case("pr")
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
    if path.has_sub() || !is_operator(i) {
        return Ok((i, AttrPath::from(path).into()));
    }
    rules.term(i)?;
    let value = PathText { text: "value", name: 0, end: 5 };
    let (i, filter) = comparison(rules, i, value)?;
    Ok((i, Path::elements(path.into(), filter, None)))
}
