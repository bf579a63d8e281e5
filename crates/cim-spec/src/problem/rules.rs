//! The rules that a spec must keep.

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident = $id:literal,)+) => {
        /// A rule that a spec must keep. Each has a refusal case that fails without it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $($(#[doc = $doc])+ $rule,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Rule] = &[$(Rule::$rule,)+];

            /// The rule's name in kebab case; stable.
            pub fn id(self) -> &'static str {
                match self { $(Rule::$rule => $id,)+ }
            }
        }
    };
}

rules! {
    /// Names of instances, nodes, hubs, leaves and remotes: `[a-z][a-z0-9-]{0,20}`.
    Name = "name",
    /// Account and user names can stand in nats.conf and in a log line.
    AccountName = "account-name",
    /// A `services.cim.hub.node` that is a node of the fleet.
    KnownNode = "known-node",
    /// A `services.cim.leaves.<name>` that is a leaf of the fleet.
    KnownLeaf = "known-leaf",
    /// A remote leads to a hub of the fleet.
    KnownHub = "known-hub",
    /// An account that is named exists.
    KnownAccount = "known-account",
    /// The remotes that the fleet gives a leaf and those set on the host are the same.
    KnownRemote = "known-remote",
    /// A hub is one server, or a cluster of 3 or 5.
    HubSize = "hub-size",
    /// Server names are unique: nats-server evicts duplicates for ever.
    UniqueServerName = "unique-server-name",
    /// A leaf's server name differs from its hub's cluster name.
    ClusterName = "cluster-name",
    /// Two hub nodes never share an address and port.
    UniqueAddress = "unique-address",
    /// Hub addresses are host names or IP addresses, without a scheme or port.
    Address = "address",
    /// One fleet member is declared on one host.
    OneHost = "one-host",
    /// JetStream domains are valid names.
    Domain = "domain",
    /// JetStream domains are unique in a fleet.
    UniqueDomain = "unique-domain",
    /// Listeners of one server have ports of their own.
    PortClash = "port-clash",
    /// Subjects follow NATS's grammar.
    Subject = "subject",
    /// What an account exports or imports is a stream or a service, with the fields of that.
    Sharing = "sharing",
    /// An account exports what another imports.
    Exported = "exported",
    /// A subject has one other name, which keeps its wildcards.
    Renaming = "renaming",
    /// The weights of a mapping are at most a hundred.
    Weights = "weights",
    /// Flows never carry NATS's own subjects (`$SYS`, `$JS`, …).
    SystemSubject = "system-subject",
    /// Flows never carry what is said of the health of leaves.
    ReservedSubject = "reserved-subject",
    /// A canary that goes by its flow's own subject goes by one, and by that flow alone.
    CanarySubject = "canary-subject",
    /// Durations have a unit.
    Duration = "duration",
    /// Moments are as RFC 3339 has them.
    Time = "time",
    /// Sizes are bytes or have a binary unit.
    Size = "size",
    /// Counts that would lock everybody out.
    Count = "count",
    /// A field of nats.conf holds what nats-server takes there.
    FieldValue = "field-value",
    /// The nats-server package knows every field that is set.
    FieldVersion = "field-version",
    /// Public nkeys have the right kind and checksum.
    Nkey = "nkey",
    /// An nkey, a certificate name or a password user stands for one principal.
    UniqueProof = "unique-proof",
    /// Password hashes are bcrypt.
    PasswordHash = "password-hash",
    /// A principal has exactly one way to prove who it is.
    Identity = "identity",
    /// Some user can log in.
    NoUser = "no-user",
    /// Files are absolute paths outside the Nix store.
    File = "file",
    /// The files of a link fit the identity that the fleet gives the leaf.
    LinkIdentity = "link-identity",
    /// A listener without TLS is said out loud.
    Plaintext = "plaintext",
    /// `verify` and `verifyAndMap` need a CA file.
    VerifyNeedsCa = "verify-needs-ca",
    /// A certificate is looked up by OCSP only where it is asked for.
    OcspVerify = "ocsp-verify",
    /// A leaf known by its certificate needs a hub that maps certificates.
    MapsCertificates = "maps-certificates",
    /// A remote presents a certificate where its hub verifies.
    ClientCertificate = "client-certificate",
    /// Compression modes are those of nats-server.
    Compression = "compression",
    /// Accounts together stay within the server's JetStream limits.
    Quota = "quota",
    /// What is issued holds for a while, and longer than the horizon of expiry.
    Lifetime = "lifetime",
    /// What operator mode needs is there, and nothing that belongs to nats.conf's own accounts.
    OperatorMode = "operator-mode",
    /// JWTs are JWTs.
    Jwt = "jwt",
    /// Somebody answers an auth callout.
    CalloutService = "callout-service",
    /// What is kept in JetStream needs it.
    NeedsJetstream = "needs-jetstream",
    /// A remote goes over a port that its hub has.
    RemotePort = "remote-port",
    /// The system account has no JetStream.
    SystemJetstream = "system-jetstream",
    /// `maxPayload` fits into `maxPending`.
    PayloadPending = "payload-pending",
    /// The lame-duck grace period is shorter than its duration, which is at least 30 s.
    LameDuck = "lame-duck",
    /// The nats-server package is new enough.
    ServerVersion = "server-version",
    /// `settings` hold no key that a typed option owns.
    SettingsOwned = "settings-owned",
    /// `settings` hold no secret in plain text.
    SettingsSecret = "settings-secret",
    /// `settings` hold only what nats.conf can express.
    SettingsValue = "settings-value",
    /// `settings` hold no path into the Nix store.
    SettingsStorePath = "settings-store-path",
    /// A list that holds nothing is not written: nats-server would take it for everything.
    EmptyList = "empty-list",
    /// A field has what it needs to do what it says.
    FieldNeeds = "field-needs",
    /// Who logs in without a name is a user of this server, and no leaf.
    NoAuthUser = "no-auth-user",
    /// What may connect as a user: never a leaf, and something that there is a listener for.
    ConnectionTypes = "connection-types",
    /// A stranger is given up within a minute.
    AuthTimeout = "auth-timeout",
    /// `defaultJsDomain` is for accounts without JetStream of their own.
    DefaultJsDomain = "default-js-domain",
    /// Accounts with routes of their own are named once, where routes are pooled.
    RouteAccounts = "route-accounts",
    /// Where JetStream is on, some account may use it.
    JetstreamUnused = "jetstream-unused",
    /// Limits of an account fit the server and the fleet.
    AccountLimits = "account-limits",
    /// Nothing denies what a flow carries.
    FlowDenied = "flow-denied",
    /// Clients may subscribe as deep as flows go.
    SubTokens = "sub-tokens",
    /// Nothing is delivered twice.
    DeliveredTwice = "delivered-twice",
    /// What came by a renamed flow does not go back by another.
    FlowBack = "flow-back",
    /// A leaf has one remote to a hub.
    RemoteTwice = "remote-twice",
    /// A remote does not lead to the leaf itself.
    Loop = "loop",
    /// A proxy has a URL, and links that may go through it.
    Proxy = "proxy",
    /// Origins and headers of a WebSocket listener are those that nats-server takes.
    Websocket = "websocket",
    /// Weak cipher suites are said out loud.
    CipherSuites = "cipher-suites",
    /// Pinned certificates are hashes, of certificates that are asked for.
    PinnedCerts = "pinned-certs",
    /// Leaves are of a version that their hub lets in.
    LeafVersion = "leaf-version",
    /// Streams, consumers and buckets have names that nats-server and its clients take.
    AssetName = "asset-name",
    /// What accounts of the fleet hold is made on one hub.
    AssetHub = "asset-hub",
    /// Numbers, ages and windows of a stream or consumer are such that nats-server takes.
    AssetLimit = "asset-limit",
    /// Fields of a stream or consumer go together.
    AssetFields = "asset-fields",
    /// Streams store none of NATS's own subjects.
    StreamSubjects = "stream-subjects",
    /// One stream of an account stores a subject.
    SubjectOverlap = "subject-overlap",
    /// A message is not stored at both ends of a link.
    StoredTwice = "stored-twice",
    /// A consumer wants something that its stream stores.
    ConsumerFilter = "consumer-filter",
    /// Each message of a work queue is for one consumer.
    WorkQueue = "work-queue",
    /// There are as many servers as copies.
    Replicas = "replicas",
    /// A stream is placed where it is made.
    Placement = "placement",
    /// What streams reserve fits the account and the store.
    Reservation = "reservation",
    /// A mirror is nothing but a copy.
    Copy = "copy",
    /// What is copied is there.
    CopyTarget = "copy-target",
    /// The link lets a copy cross.
    CopyRights = "copy-rights",
    /// The streams of a durable flow have a name of their own.
    DurableName = "durable-name",
    /// Consent to a loss is a plan id.
    Consent = "consent",
    /// What `cim-health` warns of comes before what is critical, and can come.
    HealthLevels = "health-levels",
    /// Values have no control characters.
    ControlCharacter = "control-character",
}
