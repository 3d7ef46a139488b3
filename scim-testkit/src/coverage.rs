//! Which numbered requirements the tests show: the table `requirements.tsv` and the tree, compared in
//! both directions.
//!
//! A test names what it shows in a line comment that begins with the ids, each with its sheet:
//! `// rfc:FIL-12 sec:F-03`. Ids are separated by spaces or commas; words may follow them. Comments
//! count where tests are: in files under `tests/`, `benches/` or `fuzz/`, in files named `tests.rs`,
//! and in any other file from its first `#[cfg(test)]` on. Elsewhere an id is only a citation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// The sheets whose requirements are numbered.
const SHEETS: [&str; 4] = ["rfc", "sec", "idp", "dom"];

/// The first line of the table.
const HEADER: &str = "id\trequirement\tissue\tstate";

/// The most characters that the line of words of a requirement may have.
const WORDS: usize = 110;

/// Every numbered requirement, with a line of words, the step that covers it and its state.
///
/// The text is one line for each requirement, four columns between tabs, below a header. What
/// [`parse`](Self::parse) reads, `Display` writes back byte for byte.
///
/// ```
/// use scim_testkit::coverage::{Named, Table};
///
/// let text = "id\trequirement\tissue\tstate\nrfc:FIL-12\tsw and ew match the whole text too\t2\tshown\n";
/// let table = Table::parse(text).unwrap();
/// assert_eq!(table.to_string(), text);
/// assert_eq!(
///     table.faults(&Named::default())[0].to_string(),
///     "requirements.tsv:2: `rfc:FIL-12` is marked `shown`, but no test names it: \
///      name it at its test or mark it `open: why`",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Row>,
}

/// One requirement; its line in the file is its place in the table, below the header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: String,
    words: String,
    issue: String,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Shown,
    Open(String),
}

/// Where in the tree each id is named, as `path:line` below the root, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(BTreeMap<String, BTreeSet<Place>>);

/// A line of a file below the root of the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    path: PathBuf,
    line: usize,
}

/// A line to change, in the table or at a test; `Display` says how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A line of the table cannot be read.
    Malformed {
        /// The line of the table, from 1.
        line: usize,
        /// What should stand there, and what does.
        expected: String,
    },
    /// The table says `shown`, and no test names the id.
    NotNamed {
        /// The line of the table, from 1.
        line: usize,
        /// The id.
        id: String,
    },
    /// A test names the id, and the table says `open`.
    StillOpen {
        /// The line of the table, from 1.
        line: usize,
        /// The id.
        id: String,
        /// The first test that names it.
        place: Place,
    },
    /// A test names an id that the table does not have.
    Unknown {
        /// The id as the test has it.
        id: String,
        /// The first test that names it.
        place: Place,
    },
}

impl Table {
    /// Reads the text of a `requirements.tsv`.
    ///
    /// # Errors
    ///
    /// [`Fault::Malformed`] for each line that is not an id of a known sheet, some words (at most 110
    /// characters), the number of a step or `later`, and `shown` or `open: why`; and for an id that
    /// stood on an earlier line.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let mut seen = BTreeSet::new();
        let mut faults = Vec::new();
        let mut rows = Vec::new();
        let mut lines = text.lines().zip(1..);
        if lines.next().map(|(header, _)| header) != Some(HEADER) {
            faults
                .push(malformed(1, format!("expected the header `{}`", HEADER.replace('\t', " "))));
        }
        for (text, line) in lines {
            match Row::parse(text) {
                Ok(row) if seen.insert(row.id.clone()) => rows.push(row),
                Ok(row) => faults.push(malformed(line, format!("`{}` stands here again", row.id))),
                Err(expected) => faults.push(malformed(line, expected)),
            }
        }
        if faults.is_empty() { Ok(Self { rows }) } else { Err(faults) }
    }

    /// What the table and the tests say differently, the table's lines first.
    ///
    /// Empty when every requirement marked `shown` is named by a test and every id that a test names
    /// is marked so.
    pub fn faults(&self, named: &Named) -> Vec<Fault> {
        let known: BTreeSet<&str> = self.rows.iter().map(|row| row.id.as_str()).collect();
        let unknown = named.0.iter().filter(|(id, _)| !known.contains(id.as_str()));
        let rows = self.rows.iter().zip(2..).filter_map(|(row, line)| row.fault(line, named));
        rows.chain(unknown.filter_map(|(id, _)| {
            Some(Fault::Unknown { id: id.clone(), place: named.first(id)?.clone() })
        }))
        .collect()
    }

    /// The same table with the state that the tests give: `shown` where one names the id; where none
    /// does, a reason already written stays, and a `shown` becomes `open: step N` or `open: later`.
    #[must_use]
    pub fn settled(mut self, named: &Named) -> Self {
        for row in &mut self.rows {
            row.state = match (named.first(&row.id), &row.state) {
                (Some(_), _) => State::Shown,
                (None, State::Open(why)) => State::Open(why.clone()),
                (None, State::Shown) if row.issue == "later" => State::Open("later".into()),
                (None, State::Shown) => State::Open(format!("step {}", row.issue)),
            };
        }
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        self.rows.iter().try_for_each(|row| {
            writeln!(f, "{}\t{}\t{}\t{}", row.id, row.words, row.issue, row.state)
        })
    }
}

impl Row {
    fn parse(text: &str) -> Result<Self, String> {
        let columns: Vec<&str> = text.split('\t').collect();
        let [id, words, issue, state] = columns.as_slice() else {
            return Err(format!("expected four columns between tabs, found {}", columns.len()));
        };
        if !is_id(id) {
            return Err(format!("expected an id such as `rfc:FIL-12`, found `{id}`"));
        }
        if words.trim().is_empty() || words.chars().count() > WORDS {
            return Err(format!(
                "expected 1 to {WORDS} characters of words for `{id}`, found {}",
                words.chars().count()
            ));
        }
        if *issue != "later" && issue.parse::<u8>().is_err() {
            return Err(format!("expected the number of a step or `later`, found `{issue}`"));
        }
        let state = match (*state, state.strip_prefix("open: ")) {
            ("shown", _) => State::Shown,
            (_, Some(why)) if !why.trim().is_empty() => State::Open(why.into()),
            _ => return Err(format!("expected `shown` or `open: why`, found `{state}`")),
        };
        Ok(Self { id: (*id).into(), words: (*words).into(), issue: (*issue).into(), state })
    }

    fn fault(&self, line: usize, named: &Named) -> Option<Fault> {
        match (&self.state, named.first(&self.id)) {
            (State::Shown, None) => Some(Fault::NotNamed { line, id: self.id.clone() }),
            (State::Open(_), Some(place)) => {
                Some(Fault::StillOpen { line, id: self.id.clone(), place: place.clone() })
            }
            (State::Shown, Some(_)) | (State::Open(_), None) => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown => write!(f, "shown"),
            Self::Open(why) => write!(f, "open: {why}"),
        }
    }
}

impl Named {
    /// Reads every `.rs` file below `root`, without `target` and hidden folders.
    ///
    /// # Errors
    ///
    /// Where a folder or a file cannot be read, or a file is not UTF-8.
    pub fn scan(root: &Path) -> io::Result<Self> {
        let mut named = Self::default();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if path.is_dir() {
                    if name != "target" && !name.starts_with('.') {
                        folders.push(path);
                    }
                } else if name.ends_with(".rs") {
                    let text = fs::read_to_string(&path)?;
                    named.read(path.strip_prefix(root).unwrap_or(&path), &text);
                }
            }
        }
        Ok(named)
    }

    /// Adds the ids that one file names; `path` says whether all of it is tests.
    fn read(&mut self, path: &Path, text: &str) {
        let mut tests = is_test(path);
        for (text, line) in text.lines().zip(1..) {
            tests |= text.trim_start().starts_with("#[cfg(test)]");
            if tests {
                for id in ids(text) {
                    let place = Place { path: path.into(), line };
                    self.0.entry(id.into()).or_default().insert(place);
                }
            }
        }
    }

    fn first(&self, id: &str) -> Option<&Place> {
        self.0.get(id)?.first()
    }
}

fn malformed(line: usize, expected: String) -> Fault {
    Fault::Malformed { line, expected }
}

fn is_id(word: &str) -> bool {
    word.split_once(':').is_some_and(|(sheet, rest)| SHEETS.contains(&sheet) && !rest.is_empty())
}

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests")
        || path.iter().any(|part| part == "tests" || part == "benches" || part == "fuzz")
}

/// The ids that the line comment of this line begins with, if it has one that does.
fn ids(line: &str) -> impl Iterator<Item = &str> {
    let own = line.trim_start().strip_prefix("// ");
    let comment = own.or_else(|| Some(line.split_once(" // ")?.1)).unwrap_or_default();
    comment
        .split([' ', ','])
        .map(|word| word.trim_end_matches([':', ';', '.']))
        .filter(|word| !word.is_empty())
        .take_while(|word| is_id(word))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line, expected } => write!(f, "requirements.tsv:{line}: {expected}"),
            Self::NotNamed { line, id } => write!(
                f,
                "requirements.tsv:{line}: `{id}` is marked `shown`, but no test names it: \
                 name it at its test or mark it `open: why`"
            ),
            Self::StillOpen { line, id, place } => write!(
                f,
                "requirements.tsv:{line}: `{id}` is marked `open`, but {place} names it: mark it `shown`"
            ),
            Self::Unknown { id, place } => {
                write!(f, "{place}: `{id}` is no requirement of requirements.tsv")
            }
        }
    }
}

impl std::error::Error for Fault {}
