//! `FILTER`, `valuePath`, and the PATCH path built of them.

use nom::{Parser, character::complete::char, combinator::opt, sequence::preceded};

use super::{
    Fault, Parsed, Place, Rules, blank,
    literal::comp_value,
    path::{attr_name, attr_path_text, word_len},
};
use crate::{AttrPath, Filter, Op, ParseErrorKind as Kind, Path};

/// `FILTER`: terms joined by `or`, which binds loosest.
pub(super) fn filter<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    joined(i, "or", Filter::Or, |i| joined(i, "and", Filter::And, |i| term(rules, place, i)))
}

/// One item, or several with `word` between them.
fn joined<'a>(
    i: &'a str,
    word: &str,
    join: impl FnOnce(Vec<Filter>) -> Filter,
    item: impl Fn(&'a str) -> Parsed<'a, Filter>,
) -> Parsed<'a, Filter> {
    let (i, first) = item(i)?;
    let Some(mut rest) = keyword(i, word) else {
        return Ok((i, first));
    };
    let mut terms = Vec::with_capacity(4);
    terms.push(first);
    loop {
        let (i, term) = item(rest)?;
        terms.push(term);
        match keyword(i, word) {
            Some(more) => rest = more,
            None => return Ok((i, join(terms))),
        }
    }
}

/// What follows `word` in any case, where `i` starts with it after blanks and as a whole word.
fn keyword<'a>(i: &'a str, word: &str) -> Option<&'a str> {
    let i = i.trim_start_matches([' ', '\t']);
    let (head, rest) = i.split_at_checked(word.len())?;
    (head.eq_ignore_ascii_case(word) && word_len(rest) == 0).then_some(rest)
}

/// `*1"not" "(" FILTER ")" / attrExp / valuePath`.
fn term<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    let (i, _) = blank(i)?;
    if i.starts_with('(') {
        return group(rules, place, i);
    }
    if let Some(rest) = keyword(i, "not").map(|rest| rest.trim_start_matches([' ', '\t']))
        && rest.starts_with('(')
    {
        let (rest, inner) = group(rules, place, rest)?;
        return Ok((rest, Filter::Not(Box::new(inner))));
    }
    if !i.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$') {
        return Err(Fault::of(Kind::Term, i, usize::from(!i.is_empty())));
    }
    attr_exp(rules, place, i)
}

/// `"(" FILTER ")"`.
fn group<'a>(rules: &Rules<'_>, place: Place, i: &'a str) -> Parsed<'a, Filter> {
    rules.deeper(i, |i| {
        let (i, inner) = filter(rules, place, i)?;
        close(i, ')', Kind::Group).map(|i| (i, inner))
    })
}

/// The closing bracket, after blanks.
fn close(i: &str, bracket: char, kind: Kind) -> Result<&str, nom::Err<Fault>> {
    let (i, _) = blank(i)?;
    i.strip_prefix(bracket).ok_or_else(|| Fault::of(kind, i, word_len(i).max(1).min(i.len())))
}

/// `attrPath SP "pr" / attrPath SP compareOp SP compValue / valuePath`.
fn attr_exp<'a>(rules: &Rules<'_>, place: Place, at: &'a str) -> Parsed<'a, Filter> {
    let (i, (text, name, end)) = attr_path_text(at)?;
    if place == Place::Brackets && name > 0 {
        return Err(Fault::of(Kind::UrnInBracket, at, name));
    }
    if i.starts_with('[') {
        if place == Place::Brackets {
            return Err(Fault::of(Kind::BracketInBracket, i, 1));
        }
        return value_path(rules, AttrPath::checked(text, name, end), i);
    }
    rules.term(at)?;
    comparison(rules, i, AttrPath::checked(text, name, end))
}

/// ` SP "pr" / SP compareOp SP compValue` behind the path it applies to.
fn comparison<'a>(rules: &Rules<'_>, i: &'a str, attr: AttrPath) -> Parsed<'a, Filter> {
    let (i, _) = blank(i)?;
    let (word, rest) = i.split_at(word_len(i));
    if word.eq_ignore_ascii_case("pr") {
        return Ok((rest, Filter::Present(attr)));
    }
    let Some(op) = op(word) else {
        return Err(Fault::of(Kind::Operator, i, word.len().max(1).min(i.len())));
    };
    let (rest, _) = blank(rest)?;
    let (rest, value) = comp_value(rules, rest)?;
    Ok((rest, Filter::Compare { attr, op, value }))
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
fn value_path<'a>(rules: &Rules<'_>, attr: AttrPath, i: &'a str) -> Parsed<'a, Filter> {
    let (i, inner) = brackets(rules, &attr, i)?;
    let (i, filter) = match compared(rules, i)? {
        (i, Some(last)) => (i, also(inner, last)),
        (i, None) => (i, inner),
    };
    Ok((i, Filter::ValuePath { attr, filter: Box::new(filter) }))
}

/// `"[" valFilter "]"` behind `attr`.
fn brackets<'a>(rules: &Rules<'_>, attr: &AttrPath, i: &'a str) -> Parsed<'a, Filter> {
    if attr.sub().is_some() {
        return Err(Fault::of(Kind::BracketAfterSub, i, 1));
    }
    rules
        .deeper(i, |i| {
            let (i, inner) = filter(rules, Place::Brackets, i)?;
            close(i, ']', Kind::Bracket).map(|i| (i, inner))
        })
        .map_err(|error| error.map(|fault| Fault { in_filter: true, ..fault }))
}

/// `.value eq "x"` or ` eq "x"` behind the closing bracket, where the caller's syntax has it.
fn compared<'a>(rules: &Rules<'_>, i: &'a str) -> Parsed<'a, Option<Filter>> {
    let (after, sub) = opt(preceded(char('.'), |i| attr_name(i, Kind::SubAttribute))).parse(i)?;
    let (word, _) = blank(after).map(|(i, _)| i.split_at(word_len(i)))?;
    if sub.is_none() && op(word).is_none() && !word.eq_ignore_ascii_case("pr") {
        return Ok((i, None));
    }
    if !rules.syntax.value_path_comparison {
        return Err(Fault::of(Kind::ComparedValuePath, i, i.len() - after.len() + 1));
    }
    rules.term(i)?;
    let sub = sub.unwrap_or("value");
    comparison(rules, after, AttrPath::checked(sub, 0, sub.len())).map(|(i, last)| (i, Some(last)))
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
    let (i, _) = blank(i)?;
    let (i, (text, name, end)) = attr_path_text(i)?;
    let attr = AttrPath::checked(text, name, end);
    if i.starts_with('[') {
        let (i, filter) = brackets(rules, &attr, i)?;
        let (i, sub) = opt(preceded(char('.'), |i| attr_name(i, Kind::SubAttribute))).parse(i)?;
        return Ok((i, Path::elements(attr, filter, sub)));
    }
    let (word, _) = blank(i).map(|(i, _)| i.split_at(word_len(i)))?;
    if op(word).is_none() || attr.sub().is_some() {
        return Ok((i, attr.into()));
    }
    rules.term(i)?;
    let (i, filter) = comparison(rules, i, AttrPath::checked("value", 0, 5))?;
    Ok((i, Path::elements(attr, filter, None)))
}
