//! The built-in schemas against sources of their own: the tables printed in RFC 7643, and another implementation. Every difference is
//! listed with its reason; one more or one less fails.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use scim_core::schema::Schema;
use scim_testkit::programs::skip;
use serde_json::Value;

/// The characteristics of one attribute, by name.
type Row = BTreeMap<&'static str, String>;

const COLUMNS: [&str; 8] = [
    "type",
    "multiValued",
    "required",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "values",
];

fn built_in() -> [(&'static str, Schema); 6] {
    [
        ("User", Schema::user()),
        ("Group", Schema::group()),
        ("EnterpriseUser", Schema::enterprise_user()),
        ("ServiceProviderConfig", Schema::service_provider_config()),
        ("ResourceType", Schema::resource_type()),
        ("Schema", Schema::of_schemas()),
    ]
}

/// What a published schema says, attribute by attribute. What means nothing for a type counts as not said.
fn rows(name: &str, schema: &Value, rows: &mut BTreeMap<String, Row>) {
    let parts = schema.get("attributes").or(schema.get("subAttributes"));
    for attribute in parts.and_then(Value::as_array).into_iter().flatten() {
        let path = format!("{name}.{}", attribute["name"].as_str().unwrap());
        let told = |name: &str| match &attribute[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                items.iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>().join(",")
            }
            other => other.to_string(),
        };
        let mut row: Row = COLUMNS.into_iter().map(|column| (column, told(column))).collect();
        let values = [told("canonicalValues"), told("referenceTypes")].into_iter();
        let values = values.filter(|it| !it.is_empty()).find(|it| it != "-");
        row.insert("values", values.unwrap_or("-".to_owned()));
        rows.insert(path.clone(), meaningful(row));
        self::rows(&path, attribute, rows);
    }
}

fn meaningful(mut row: Row) -> Row {
    let kind = row["type"].clone();
    if !matches!(&*kind, "string" | "reference" | "binary") {
        row.insert("caseExact", "-".to_owned());
    }
    if matches!(&*kind, "complex" | "boolean") {
        row.insert("uniqueness", "-".to_owned());
    }
    row
}

fn ours() -> BTreeMap<String, Row> {
    let mut all = BTreeMap::new();
    built_in().iter().for_each(|(name, schema)| rows(name, &schema.to_json(), &mut all));
    all
}

/// Each difference on a line: `path column theirs > ours`.
fn differences(theirs: &BTreeMap<String, Row>, ours: &BTreeMap<String, Row>) -> Vec<String> {
    let mut found = vec![];
    for (path, row) in theirs {
        let Some(own) = ours.get(path) else {
            found.push(format!("{path}: only theirs"));
            continue;
        };
        let differ = COLUMNS.into_iter().filter(|column| row[column] != own[column]);
        found.extend(differ.map(|it| format!("{path} {it} {} > {}", row[it], own[it])));
    }
    let more = ours.keys().filter(|path| !theirs.contains_key(*path));
    found.extend(more.map(|path| format!("{path}: only ours")));
    found.sort();
    found
}

/// Lines `difference  # reason`.
fn explained(list: &str) -> Vec<String> {
    let mut lines = vec![];
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (difference, reason) = line.split_once("  # ").unwrap_or((line, ""));
        assert!(reason.len() > 3, "no reason: {line}");
        lines.push(difference.trim().to_owned());
    }
    lines.sort();
    lines
}

fn compare(theirs: &BTreeMap<String, Row>, list: &str) {
    assert!(theirs.len() > 90, "{} rows", theirs.len());
    let (found, known) = (differences(theirs, &ours()), explained(list));
    let unexpected: Vec<_> = found.iter().filter(|it| !known.contains(it)).collect();
    let vanished: Vec<_> = known.iter().filter(|it| !found.contains(it)).collect();
    assert!(
        unexpected.is_empty() && vanished.is_empty(),
        "without a reason:\n{unexpected:#?}\nno longer there:\n{vanished:#?}"
    );
}

#[test]
fn the_printed_tables_with_their_errata() {
    let printed = include_str!("data/rfc7643.tsv");
    let lines = printed.lines().filter(|line| !line.starts_with('#'));
    let theirs = lines.map(|line| {
        let mut columns = line.split('\t').map(str::to_owned);
        let path = columns.next().unwrap();
        let row: Row = COLUMNS.into_iter().zip(columns).collect();
        assert_eq!(row.len(), COLUMNS.len(), "{line}");
        (path, meaningful(row))
    });
    compare(&theirs.collect(), include_str!("data/rfc7643-differences.txt"));
}

/// Where Python keeps scim2-models, which this installs where it is not yet.
fn scim2_models() -> Result<PathBuf, String> {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scim2-models-{SCIM2_MODELS}"));
    if folder.join("scim2_models").is_dir() {
        return Ok(folder);
    }
    let unfinished = folder.with_extension(std::process::id().to_string());
    let package = format!("scim2-models=={SCIM2_MODELS}");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    let done = pip.arg(&unfinished).arg(package).output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).trim().to_owned());
    }
    std::fs::rename(&unfinished, &folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

const SCIM2_MODELS: &str = "0.12.3";

const DUMP: &str = "
import json
from scim2_models import EnterpriseUser, Group, ResourceType, Schema, ServiceProviderConfig, User
models = (User, Group, EnterpriseUser, ServiceProviderConfig, ResourceType, Schema)
dump = lambda model: model.to_schema().model_dump(scim_ctx=None, by_alias=True, mode='json', exclude_none=True)
print(json.dumps({model.__name__: dump(model) for model in models}))
";

#[test]
fn the_schemas_of_scim2_models() {
    let folder = match scim2_models() {
        Ok(folder) => folder,
        Err(why) => return skip(format!("scim2-models cannot be installed: {why}")),
    };
    let dump =
        Command::new("python3").args(["-c", DUMP]).env("PYTHONPATH", folder).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let schemas: Value = serde_json::from_slice(&dump.stdout).unwrap();
    let mut theirs = BTreeMap::new();
    for (name, schema) in schemas.as_object().unwrap() {
        rows(name, schema, &mut theirs);
        // What another implementation publishes loads, and comes out as it went in.
        let loaded = Schema::from_json(schema).unwrap();
        assert_eq!(Schema::from_json(&loaded.to_json()).unwrap(), loaded);
    }
    compare(&theirs, include_str!("data/scim2-models-differences.txt"));
}
