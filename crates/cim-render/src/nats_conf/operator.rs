//! Operator mode: `operator`, `system_account`, `resolver` and what it starts with.

use cim_spec::plan::{Operator, Resolver};

use crate::conf::{Map, Node};
use crate::places::Places;

/// Puts what stands in the place of `accounts`.
pub fn put(operator: &Operator, places: &dyn Places, root: &mut Map) {
    root.put("operator", operator.jwt.as_str());
    root.put("system_account", operator.system_account.as_str());
    root.put("resolver", resolver(&operator.resolver, places));
    let mut preload = Map::new();
    for (key, jwt) in &operator.preload {
        preload.put(key, jwt.as_str());
    }
    root.put("resolver_preload", preload);
}

fn resolver(resolver: &Resolver, places: &dyn Places) -> Node {
    let Some(dir) = &resolver.dir else {
        return Node::Str("MEMORY".to_owned());
    };
    let mut block = Map::new();
    block.put("type", resolver.kind.as_str());
    block.put("dir", places.path(dir));
    if resolver.allow_delete {
        block.put("allow_delete", true);
    }
    if let Some(limit) = resolver.limit {
        block.put("limit", limit);
    }
    for (key, time) in [
        ("ttl", resolver.ttl),
        ("interval", resolver.interval),
        ("timeout", resolver.timeout),
    ] {
        if let Some(time) = time {
            block.put(key, time.to_string());
        }
    }
    Node::Map(block)
}
