//! The list of the program's parts, in the format of `CycloneDX` 1.6.

use serde_json::{Value, json};

use super::components::{Component, Components, Id};

/// All crates with their licences, checksums and edges.
pub(super) fn of(components: &Components) -> Value {
    let program = components.program().map(|(id, component)| described(id, component, "application"));
    let is_other = |id: &Id| components.program().is_none_or(|(own, _)| own != id);
    let others = components.0.iter().filter(|(id, _)| is_other(id));
    let uses = components.0.iter().map(|(id, component)| {
        json!({ "ref": purl(id), "dependsOn": component.uses.iter().map(purl).collect::<Vec<_>>() })
    });
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": program },
        "components": others.map(|(id, component)| described(id, component, "library")).collect::<Vec<_>>(),
        "dependencies": uses.collect::<Vec<_>>(),
    })
}

fn described(id: &Id, component: &Component, kind: &str) -> Value {
    let mut described = json!({
        "type": kind,
        "bom-ref": purl(id),
        "name": id.name,
        "version": id.version,
        "purl": purl(id),
        // The older way to write a choice is no SPDX expression.
        "licenses": [{ "expression": component.licence.replace('/', " OR ") }],
    });
    if let Some(checksum) = &component.checksum {
        described["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    described
}

/// A name for all formats and tools (<https://github.com/package-url/purl-spec>).
fn purl(id: &Id) -> String {
    // Of what a version may have, only `+` is not for itself in a URL.
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use spdx::Expression;

    use super::*;
    use crate::dist::processor::Processor;

    // What the schema of CycloneDX demands: names that are unique, and edges between them.
    #[test]
    fn every_part_is_named_once_and_every_edge_leads_to_one() {
        let bom = of(&Components::of_program(Processor::of_this_machine().unwrap()).unwrap());
        assert_eq!(bom["metadata"]["component"]["name"], "vestibule-server");
        let parts = bom["components"].as_array().unwrap();
        let names: BTreeSet<&str> = parts
            .iter()
            .chain([&bom["metadata"]["component"]])
            .map(|part| part["bom-ref"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), parts.len() + 1);
        let edges = bom["dependencies"].as_array().unwrap();
        assert_eq!(edges.len(), names.len());
        for edge in edges {
            let ends = edge["dependsOn"].as_array().unwrap().iter().chain([&edge["ref"]]);
            ends.for_each(|end| assert!(names.contains(end.as_str().unwrap()), "{end}"));
        }
        for part in parts {
            let licence = part["licenses"][0]["expression"].as_str().unwrap();
            assert!(Expression::parse(licence).is_ok(), "{part}");
            let sum = part["hashes"][0]["content"].as_str();
            assert!(sum.is_none_or(|sum| sum.len() == 64), "{part}");
        }
    }

    #[test]
    fn a_version_with_a_plus_is_escaped() {
        let id = Id { name: "sys".to_owned(), version: "1.0.0+3.2".to_owned() };
        assert_eq!(purl(&id), "pkg:cargo/sys@1.0.0%2B3.2");
    }
}
