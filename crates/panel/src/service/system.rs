//! What sudo administrators may see of settings and proxy. Each read is noted in the audit log.

use mtpannel_core::policy::NodesRead;

use super::caller::Allowed;
use crate::app::App;
use crate::runtime::health::ProxyView;
use crate::settings::Settings;

/// The settings of this panel.
pub fn show_settings<'a>(app: &'a App, caller: &Allowed<NodesRead>) -> &'a Settings {
    app.shown.note(&app.store, &caller.by(), app.clock.now(), "system.show_settings", None);
    &app.settings
}

/// The proxy's last answer, with the text of its metrics; `None` before the first.
pub fn show_metrics(app: &App, caller: &Allowed<NodesRead>) -> Option<ProxyView> {
    let view = app.health.proxy()?;
    app.shown.note(&app.store, &caller.by(), app.clock.now(), "system.show_metrics", None);
    Some(view)
}
