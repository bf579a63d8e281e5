//! Which asset: named by its file, `streams/EVENTS` for `streams/EVENTS.json`.

use std::fmt;

/// One asset of an account's JetStream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asset {
    /// A stream, by its name.
    Stream(String),
    /// A key-value bucket, by its name.
    KeyValue(String),
    /// An object store, by its name.
    ObjectStore(String),
    /// A consumer.
    Consumer {
        /// Name of its stream on the server.
        stream: String,
        /// Its own.
        name: String,
    },
}

impl Asset {
    /// The stream on the server that it is, or belongs to.
    pub fn stream(&self) -> String {
        match self {
            Asset::Stream(name) => name.clone(),
            Asset::KeyValue(bucket) => format!("KV_{bucket}"),
            Asset::ObjectStore(bucket) => format!("OBJ_{bucket}"),
            Asset::Consumer { stream, .. } => stream.clone(),
        }
    }

    /// Reads `streams/EVENTS`, `consumers/EVENTS/worker`, `kv/settings` or `object-stores/bundles`; `None`: it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (folder, name) = text.split_once('/')?;
        let stream = |name: &str| name_problem(name).is_none().then(|| name.to_owned());
        let bucket = |name: &str| bucket_problem(name).is_none().then(|| name.to_owned());
        Some(match folder {
            "streams" => Asset::Stream(stream(name)?),
            "kv" => Asset::KeyValue(bucket(name)?),
            "object-stores" => Asset::ObjectStore(bucket(name)?),
            "consumers" => {
                let (of, name) = name.split_once('/')?;
                Asset::Consumer {
                    stream: stream(of)?,
                    name: stream(name)?,
                }
            }
            _ => return None,
        })
    }

    /// What a stream on the server is called here.
    pub fn of_stream(name: &str) -> Self {
        match (name.strip_prefix("KV_"), name.strip_prefix("OBJ_")) {
            (Some(bucket), _) => Asset::KeyValue(bucket.to_owned()),
            (_, Some(bucket)) => Asset::ObjectStore(bucket.to_owned()),
            _ => Asset::Stream(name.to_owned()),
        }
    }

    /// What kind of asset it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Asset::Stream(_) => "stream",
            Asset::KeyValue(_) => "bucket",
            Asset::ObjectStore(_) => "object store",
            Asset::Consumer { .. } => "consumer",
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asset::Stream(name) => write!(f, "streams/{name}"),
            Asset::KeyValue(bucket) => write!(f, "kv/{bucket}"),
            Asset::ObjectStore(bucket) => write!(f, "object-stores/{bucket}"),
            Asset::Consumer { stream, name } => write!(f, "consumers/{stream}/{name}"),
        }
    }
}

/// Why nats-server would not take a name of a stream or consumer; `None`: it takes it.
pub fn name_problem(name: &str) -> Option<String> {
    let bad =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>' | '/' | '\\');
    match name.chars().find(|c| bad(*c)) {
        _ if name.is_empty() => Some("is empty".to_owned()),
        Some(c) => Some(format!("has {c:?} in it")),
        None if name.len() > 255 => Some("has more than 255 bytes".to_owned()),
        None => None,
    }
}

/// Why clients would not take a name of a bucket; `None`: they take it.
pub fn bucket_problem(name: &str) -> Option<String> {
    let bad = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match name.chars().find(bad) {
        _ if name.is_empty() => Some("is empty".to_owned()),
        Some(c) => Some(format!("has {c:?} in it")),
        None => None,
    }
}
