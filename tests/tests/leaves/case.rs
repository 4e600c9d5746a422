//! One field of one scene, and what its change changes.

use std::fmt;

use fkm_crds::Kind;
use serde_json::Value;

use crate::objects::of_kind;
use crate::scene::Scene;
use crate::transcript::Transcript;

/// A change of one field of the first object of a kind.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    /// The field.
    pub(crate) pointer: String,
    /// What it is changed to.
    pub(crate) value: Value,
    scene: Scene,
    /// Seen before the change only.
    before: String,
    /// Seen after it only.
    after: String,
}

/// A change of a field of a pool.
pub(crate) fn pool(pointer: &str, value: impl Into<Value>) -> Change {
    Change::new(Kind::ProviderPool, pointer, value)
}

/// A change of a field of a route.
pub(crate) fn route(pointer: &str, value: impl Into<Value>) -> Change {
    Change::new(Kind::LLMRoute, pointer, value)
}

/// A change that has no scene yet.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    kind: Kind,
    pointer: String,
    value: Value,
}

// === impl Change ===

impl Change {
    fn new(kind: Kind, pointer: &str, value: impl Into<Value>) -> Self {
        Self {
            kind,
            pointer: pointer.to_owned(),
            value: value.into(),
        }
    }

    /// In this scene it turns what is seen from `before` to `after`.
    pub(crate) fn shows(
        self,
        scene: &Scene,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Case {
        Case {
            kind: self.kind,
            pointer: self.pointer,
            value: self.value,
            scene: scene.clone(),
            before: before.into(),
            after: after.into(),
        }
    }
}

// === impl Case ===

impl Case {
    /// The value that the scene has; null where it has none.
    pub(crate) fn before_change(&self) -> &Value {
        let object = of_kind(&self.scene.objects, self.kind);
        object.pointer(&self.pointer).unwrap_or(&Value::Null)
    }

    /// Plays the scene and says what is not as it should be.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let changed = self.changed()?;
        let (first, again, after) = tokio::join!(
            Box::pin(self.scene.play()),
            Box::pin(self.scene.play()),
            Box::pin(changed.play()),
        );
        if first != again {
            return Err(format!(
                "the scene is not the same each time\n{first}\nand\n{again}"
            ));
        }
        if first.refused {
            return Err(format!("something is refused before the change\n{first}"));
        }
        check_seen("before", &self.before, &first, &after)?;
        check_seen("after", &self.after, &after, &first)
    }

    /// The scene with the field changed and nothing else.
    fn changed(&self) -> Result<Scene, String> {
        let mut scene = self.scene.clone();
        let place = scene
            .objects
            .iter_mut()
            .find(|object| object["kind"] == format!("{:?}", self.kind));
        let field = place.and_then(|object| object.pointer_mut(&self.pointer));
        let field = field.ok_or("the scene has no such field")?;
        if *field == self.value {
            return Err("the change changes nothing".to_owned());
        }
        *field = self.value.clone();
        Ok(scene)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            pointer,
            value,
            ..
        } = self;
        write!(f, "{kind:?} {pointer}: {} to {value}", self.before_change())
    }
}

fn check_seen(
    when: &str,
    wanted: &str,
    there: &Transcript,
    not_there: &Transcript,
) -> Result<(), String> {
    if !there.text().contains(wanted) {
        return Err(format!("{wanted:?} is not seen {when} the change\n{there}"));
    }
    if not_there.text().contains(wanted) {
        return Err(format!(
            "{wanted:?} is not only seen {when} the change\n{there}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::pool as pool_of;
    use crate::objects::{backend, provider, route as route_of, rule};
    use crate::scene::Ask;

    fn scene(base_url: &str) -> Scene {
        let objects = [
            pool_of("pool", &[provider("a", base_url)]),
            route_of(
                "chat",
                &serde_json::json!({"rules": [rule(&[backend("pool")])]}),
            ),
        ];
        Scene::new(objects)
    }

    async fn why_not(case: Case) -> String {
        case.check().await.expect_err("the case is wrong")
    }

    #[tokio::test]
    async fn a_case_that_shows_nothing_fails() {
        let rename = || pool("/spec/providers/0/name", "z");
        let unseen = scene("$A").asking([Ask::Models]);
        assert!(
            why_not(rename().shows(&unseen, "by a", "by z"))
                .await
                .contains("is not seen")
        );
        let both = rename().shows(&scene("$A"), "200 by", "by z");
        assert!(why_not(both).await.contains("is not only seen"));
        let nothing = pool("/spec/providers/0/name", "a").shows(&scene("$A"), "by a", "by z");
        assert!(why_not(nothing).await.contains("changes nothing"));
        let refused = rename().shows(&scene("ftp://x"), "by a", "by z");
        assert!(why_not(refused).await.contains("is refused before"));
    }
}
