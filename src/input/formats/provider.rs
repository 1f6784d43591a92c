//! Bodies of remote services: Entra ID, Microsoft Graph and OData, Business Central, SOAP faults, and replies as a whole.
//!
//! What they say is read as pasted text is; here is only told whether it is such a body.

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::value::Value;
use crate::model::excerpt;

use super::{Adapter, as_it_is};

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Provider,
    expected: "the body of a reply, JSON with `error` or a SOAP fault",
    tells: |value| {
        let error = value.exact("error");
        let is_odata = error.is_some_and(|error| ["code", "message"].iter().any(|name| error.exact(name).is_some()));
        let is_token = error.is_some_and(|error| error.text().is_some())
            && ["error_description", "error_codes"].iter().any(|name| value.exact(name).is_some());
        is_odata || is_token || value.exact("odata.error").is_some()
    },
    shape: as_it_is,
    read,
};

/// Names of which a body has one.
const NAMES: [&str; 9] =
    ["error", "odata.error", "error_description", "error_code", "errors", "fault", "message", "code", "detail"];

fn read(value: &Value, raw: &str, draft: &mut Draft) -> bool {
    if !NAMES.iter().any(|name| value.get(name).is_some()) {
        return false;
    }
    paste(raw, draft);
    true
}

/// Reads a body that is no JSON; `false` when it is none either.
pub(in crate::input) fn read_markup(raw: &str, draft: &mut Draft) -> bool {
    let start = raw.trim_start();
    let is_reply = start.starts_with("HTTP/");
    let is_fault = start.starts_with('<') && ["Fault", "faultstring", "rror"].iter().any(|word| start.contains(word));
    if is_reply || is_fault {
        paste(raw, draft);
    }
    is_reply || is_fault
}

fn paste(raw: &str, draft: &mut Draft) {
    draft.paste(excerpt(raw).as_deref().unwrap_or(raw));
}
