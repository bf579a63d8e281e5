# Which part of a spec nats-server takes over on reload, and which needs a restart.
#
# Tables for Nix and Rust, measured against nats-server: crates/cim-spec/src/reload.json, and `hot` of the fields that
# pass straight through. crates/cim-spec/src/reload.rs says the same.
{ lib }:
let
  fields = import ./fields.nix { inherit lib; };
  table = builtins.fromJSON (builtins.readFile ../crates/cim-spec/src/reload.json);
  epoch = builtins.readFile ../crates/cim-render/epoch;

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

  # Where a spec holds fields, by block.
  places =
    role:
    let
      tls = context: place: {
        choice = {
          inherit role context;
          block = "tls";
        };
        inherit place;
      };
      plain = block: place: {
        choice = { inherit role block; };
        inherit place;
      };
    in
    [
      (plain "server" [ "server" ])
      (tls "client" [
        "server"
        "tls"
      ])
      (plain "cluster" [ "cluster" ])
      (tls "cluster" [
        "cluster"
        "tls"
      ])
    ]
    ++
      lib.concatMap
        (block: [
          (plain block [
            "server"
            block
          ])
          (tls block [
            "server"
            block
            "tls"
          ])
        ])
        [
          "websocket"
          "mqtt"
        ]
    ++ lib.optionals (role == "hub") (
      lib.concatMap
        (block: [
          (plain block [ block ])
          (tls block [
            block
            "tls"
          ])
        ])
        [
          "leafnodes"
          "gateway"
        ]
    )
    ++ lib.optionals (role == "leaf") [
      (plain "link" [ "leafnodes" ])
      (plain "remote" [
        "remotes"
        "*"
      ])
      (tls "remote" [
        "remotes"
        "*"
        "tls"
      ])
    ];

  hotFields =
    role: version:
    lib.concatMap (
      { choice, place }:
      map (row: [ role ] ++ place ++ [ "fields" ] ++ [ row.option ]) (
        lib.filter (row: row ? hot && lib.versionAtLeast version row.hot) (fields.rows choice)
      )
    ) (places role);

  digest = value: builtins.hashString "sha256" (builtins.toJSON value);
in
# `role` is hub or leaf; the spec has one attribute of that name.
{
  role,
  spec,
  version,
}:
let
  body = spec.${role};
  hot = lib.filter (row: lib.versionAtLeast version row.since) table.${role};
  cold = lib.foldl' without body (
    map (row: lib.splitString "." row.path) hot ++ hotFields role version
  );
in
{
  reload = digest body;
  # The epoch is bumped when the renderer writes something else for the same spec.
  restart = digest [
    epoch
    cold
  ];
}
