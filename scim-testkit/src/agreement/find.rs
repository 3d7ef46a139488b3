//! Shown is found: a filter with a value as it is shown finds what shows it, or is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Client, Found, Path, Report, broken, id, is_soak, leaves};

/// The ids of the resources that a question is about.
type Ids = BTreeSet<String>;

impl Client<'_> {
    /// Asks for each value of each answer in every form that a filter has.
    ///
    /// For each value that a resource shows: `eq` finds the resource, and nothing that shows no
    /// such attribute; `ne` and `not` find exactly the others; a value path finds the same; `ge`
    /// and `le` find it, `gt` and `lt` do not find what shows nothing else; `pr` finds exactly what
    /// shows some value. A name that is refused is refused in each of these forms. Over each
    /// endpoint and over all of them at once.
    pub fn shown_is_found(&self) -> Report {
        let mut report = Report::default();
        for (endpoint, urns) in self.endpoints() {
            let published = self.published(&urns);
            let all = self.everything(&endpoint, &published);
            assert!(!all.is_empty(), "{endpoint} shows nothing");
            let mut shown: BTreeMap<Path, BTreeSet<String>> =
                published.keys().map(|path| (path.clone(), BTreeSet::new())).collect();
            for (path, value) in all.iter().flat_map(leaves) {
                shown.entry(path).or_default().insert(value);
            }
            // Over all types at once, a few of each type's are enough.
            let step = if endpoint.is_empty() && !is_soak() { 4 } else { 1 };
            let questions = Questions { client: self, endpoint, all };
            for (path, values) in shown.into_iter().step_by(step) {
                questions.ask(&path, &values, &mut report);
            }
        }
        report
    }
}

/// All that one list shows, and whom to ask about it.
struct Questions<'a> {
    client: &'a Client<'a>,
    endpoint: String,
    all: Vec<Value>,
}

impl Questions<'_> {
    fn ask(&self, path: &Path, values: &BTreeSet<String>, report: &mut Report) {
        let everybody: Ids = self.all.iter().map(id).collect();
        let present = self.ids(|resource| !path.values(resource).is_empty());
        let Some(found) = self.found(&format!("{path} pr"), report) else {
            report.unsearchable.insert(path.to_string());
            for form in refused_forms(path, values) {
                assert_eq!(self.found(&form, report), None, "`{form}` is not refused as `pr` is");
            }
            return;
        };
        assert_eq!(found, present, "{path} pr");
        let absent: Ids = everybody.difference(&present).cloned().collect();
        assert_eq!(self.found(&format!("not ({path} pr)"), report), Some(absent.clone()), "{path}");
        for value in values {
            let Some(equal) = self.found(&format!("{path} eq {value}"), report) else {
                report.unspeakable.insert(format!("{path} eq {value}"));
                continue;
            };
            let is_shown = |shown: &&Value| shown.to_string() == *value;
            let expected = self.ids(|resource| path.values(resource).iter().any(is_shown));
            assert!(equal.is_superset(&expected), "{path} eq {value}: {equal:?}, not {expected:?}");
            // An element that says nothing is not the primary one either.
            let is_default = path.sub.as_deref() == Some("primary") && value == "false";
            assert!(is_default || equal.is_disjoint(&absent), "{path} eq {value}: {equal:?}");
            let others: Ids = everybody.difference(&equal).cloned().collect();
            let mut forms = self.same_forms(path, value, &equal, &others);
            forms.retain(|(form, _)| !(is_default && form.ends_with("pr]")));
            for (form, ids) in some(forms, report) {
                assert_eq!(self.found(&form, report), Some(ids), "{form}");
            }
            let only = self.ids(|resource| {
                let values = path.values(resource);
                !values.is_empty() && values.iter().all(is_shown)
            });
            self.ask_around(path, value, (&expected, &only), report);
        }
    }

    /// Forms that say the same as `eq` or the opposite.
    fn same_forms(
        &self,
        path: &Path,
        value: &str,
        equal: &Ids,
        others: &Ids,
    ) -> Vec<(String, Ids)> {
        let mut forms = vec![
            (format!("{path} ne {value}"), others.clone()),
            (format!("not ({path} eq {value})"), others.clone()),
            (format!("id pr and not ({path} ne {value})"), equal.clone()),
        ];
        if let Some(sub) = &path.sub {
            let parent = path.parent();
            forms.push((format!("{parent}[{sub} eq {value}]"), equal.clone()));
            forms.push((format!("not ({parent}[{sub} eq {value}])"), others.clone()));
            forms.push((format!("{parent}[{sub} eq {value} and {sub} pr]"), equal.clone()));
        } else if self.all.iter().any(|resource| path.whole(resource).is_some_and(Value::is_array))
        {
            forms.push((format!("{path}[value eq {value}]"), equal.clone()));
        }
        forms
    }

    /// What is ordered around a value, and elements that are not equal to it.
    fn ask_around(
        &self,
        path: &Path,
        value: &str,
        (showing, only): (&Ids, &Ids),
        report: &mut Report,
    ) {
        for (op, holds) in
            some(vec![("ge", true), ("gt", false), ("le", true), ("lt", false)], report)
        {
            // Types without an order refuse all of them.
            let Some(found) = self.found(&format!("{path} {op} {value}"), report) else { continue };
            match holds {
                true => assert!(found.is_superset(showing), "{path} {op} {value}: {found:?}"),
                false => assert!(found.is_disjoint(only), "{path} {op} {value}: {found:?}"),
            }
        }
        if let Some(sub) = path.sub.as_ref().filter(|_| some(vec![0, 1, 2, 3], report).contains(&0))
        {
            let form = format!("{}[not ({sub} eq {value})]", path.parent());
            let others = |resource: &Value| {
                let elements = path.elements(resource);
                let all = |element: &&Value| {
                    path.values_of(element).iter().any(|it| it.to_string() == *value)
                };
                !elements.is_empty() && elements.iter().all(all)
            };
            let equal = self.ids(others);
            let found = self.found(&form, report);
            assert!(found.is_some_and(|found| found.is_disjoint(&equal)), "{form}");
        }
    }

    fn ids(&self, selects: impl Fn(&Value) -> bool) -> Ids {
        self.all.iter().filter(|resource| selects(resource)).map(id).collect()
    }

    /// What a filter finds; none where it is refused.
    fn found(&self, filter: &str, report: &mut Report) -> Option<Ids> {
        let mut query = vec![("filter", filter), ("count", "1000")];
        // What is shown does not decide what is found.
        if !report.questions.len().is_multiple_of(5) {
            query.push(("attributes", "id"));
        }
        match self.client.found(&self.endpoint, &query, report) {
            Found::Refused => None,
            Found::Ids(ids) => {
                let found: Ids = ids.iter().cloned().collect();
                if found.len() != ids.len() {
                    broken(&format!("{filter} finds a resource twice: {ids:?}"));
                }
                Some(found)
            }
        }
    }
}

/// Two of these in turn, or all of them where time does not matter (`SOAK=1`).
fn some<T>(all: Vec<T>, report: &Report) -> Vec<T> {
    let (turn, length) = (report.questions.len(), all.len().max(1));
    let is_due = |n: &usize| (n + turn) % length < 2 || is_soak();
    (0..).zip(all).filter(|(n, _)| is_due(n)).map(|(_, one)| one).collect()
}

/// Forms of a filter on an attribute that no filter may name.
fn refused_forms(path: &Path, values: &BTreeSet<String>) -> Vec<String> {
    let value = values.first().map_or("\"x\"", String::as_str);
    let mut forms = vec![format!("not ({path} pr)")];
    for op in ["eq", "ne"] {
        forms.push(format!("{path} {op} {value}"));
        forms.push(format!("not ({path} {op} {value})"));
        if let Some(sub) = &path.sub {
            forms.push(format!("{}[{sub} {op} {value}]", path.parent()));
            forms.push(format!("{}[not ({sub} {op} {value})]", path.parent()));
        }
    }
    forms
}
