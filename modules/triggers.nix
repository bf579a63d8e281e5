# Which part of a spec nats-server takes over on reload, and which needs a restart.
#
# For Nix and Rust, measured against nats-server: crates/cim-spec/src/reload.json says it of the spec's own structure,
# `hot` in crates/cim-spec/fields of the fields that pass straight through.
{ lib }:
let
  fields = import ./fields.nix { inherit lib; };
  table = builtins.fromJSON (builtins.readFile ../crates/cim-spec/src/reload.json);
  epoch = builtins.readFile ../crates/cim-render/epoch;

  # Where fields stand in a spec, below the role. Those of accounts and users are hot, as accounts are.
  blocks =
    let
      block = name: at: {
        inherit at;
        choice.block = name;
      };
      tls = context: at: {
        at = at ++ [ "tls" ];
        choice = {
          block = "tls";
          inherit context;
        };
      };
      side = server: name: [
        (block name (server ++ [ name ]))
        (tls name (server ++ [ name ]))
      ];
      server =
        role:
        let
          at = [
            role
            "server"
          ];
        in
        [
          {
            inherit at;
            choice = {
              block = "server";
              inherit role;
            };
          }
          (tls "client" at)
          (block "cluster" [
            role
            "cluster"
          ])
          (tls "cluster" [
            role
            "cluster"
          ])
        ]
        ++ side at "websocket"
        ++ side at "mqtt";
      remote = [
        "leaf"
        "remotes"
        "*"
      ];
    in
    {
      hub = server "hub" ++ side [ "hub" ] "gateway" ++ side [ "hub" ] "leafnodes";
      leaf = server "leaf" ++ [
        (block "link" [
          "leaf"
          "leafnodes"
        ])
        (block "remote" remote)
        (tls "remote" remote)
      ];
    };

  # The paths that nats-server of a version takes over on reload; in operator mode leaves' rights stand in no nats.conf.
  hotPaths =
    role: version: hasOperator:
    let
      known = since: lib.versionAtLeast version since;
      structure = lib.filter (row: known row.since) (
        table.${role} ++ lib.optionals (role == "hub" && hasOperator) table.hubInOperatorMode
      );
      rows =
        { at, choice }:
        map (
          row:
          at
          ++ [
            "fields"
            row.option
          ]
        ) (lib.filter (row: row ? hot && known row.hot) (fields.rows choice));
    in
    map (row: lib.splitString "." row.path) structure ++ lib.concatMap rows blocks.${role};

  # The value without what stands at a path; `*` stands for every name.
  without =
    value: path:
    let
      name = lib.head path;
      rest = lib.tail path;
      inside = child: without child rest;
    in
    if !lib.isAttrs value then
      value
    else if name == "*" then
      lib.mapAttrs (_: inside) value
    else if !(value ? ${name}) then
      value
    else if rest == [ ] then
      removeAttrs value [ name ]
    else
      value // { ${name} = inside value.${name}; };

  digest = value: builtins.hashString "sha256" (builtins.toJSON value);
in
# `role` is hub or leaf; the spec has one attribute of that name.
{
  role,
  spec,
  version,
}:
let
  # Made over JetStream's API, while the server runs: the server's own triggers do not know it.
  assets = if role == "hub" then spec.hub.fleet.assets.accounts else spec.leaf.leaf.assets;

  durable = import ./durable.nix { inherit lib; } role spec.${role};

  hot = hotPaths role version (lib.isAttrs (spec.${role}.fleet.operator or null));
  # What is acknowledged is said in the build, when somebody is called by cim-health, and backups are a unit of their own:
  # none of it is in nats.conf.
  body = lib.foldl' without durable.unsized [
    (
      if role == "hub" then
        [
          "fleet"
          "assets"
        ]
      else
        [
          "leaf"
          "assets"
        ]
    )
    [
      "fleet"
      "acknowledged"
    ]
    [
      role
      "server"
      "acknowledged"
    ]
    [
      role
      "server"
      "health"
    ]
    [
      role
      "server"
      "backup"
    ]
  ];
in
{
  reload = digest body;
  # Whether what stands at a path of the spec, or in the file that it names, is taken over on reload.
  isHot = path: lib.elem path hot;
  # What the provisioning unit makes true; the epoch is bumped when something else is written for the same spec.
  provision = digest (
    [
      epoch
      assets
    ]
    # Who has none keeps its digest.
    ++ lib.optional (durable.streams != { }) durable.streams
  );
  # The epoch is bumped when the renderer writes something else for the same spec.
  restart = digest [
    epoch
    (lib.foldl' without body hot)
  ];
}
