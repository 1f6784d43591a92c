//! The digest of a set: what decides, in a canonical form, without comments, layout and examples.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::TypeName;
use crate::rulefile::ManifestEntry;

use super::RuleSet;

/// Raised whenever the engine decides differently on the same rules.
const ENGINE: u32 = 1;

pub(super) fn digest(set: &RuleSet, manifest: &ManifestEntry) -> String {
    let patterns = |list: &[crate::diagnostic::Spanned<crate::model::Pattern>]| {
        list.iter().map(|p| p.value.as_str().to_owned()).collect::<Vec<_>>()
    };
    let mut codes: Vec<_> = set
        .codes
        .iter()
        .map(|entry| json!([entry.code, entry.title, entry.status, entry.retry, entry.action, entry.message]))
        .collect();
    codes.sort_by_key(ToString::to_string);
    let mut ancestors: Vec<_> = manifest
        .ancestors
        .iter()
        .map(|(name, parents)| json!([name.value.full(), parents.iter().map(TypeName::full).collect::<Vec<_>>()]))
        .collect();
    ancestors.sort_by_key(ToString::to_string);
    let canonical = json!({
        "engine": ENGINE,
        "codes": codes,
        "fallback": set.fallback().code,
        "rules": set.rules,
        "ancestors": ancestors,
        "facts": [patterns(&manifest.provider_code), patterns(&manifest.http_status), patterns(&manifest.error_number)],
        "redact": manifest.redact.iter().map(|named| (named.name.value.as_str(), named.pattern.as_str())).collect::<Vec<_>>(),
    });
    let hash = Sha256::digest(canonical.to_string().as_bytes());
    let hex = hash.iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("sha256:{hex}")
}
