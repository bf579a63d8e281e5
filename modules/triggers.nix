# Which part of a spec nats-server takes over on reload, and which needs a restart.
#
# One table for Nix and Rust, measured against nats-server: crates/cim-spec/src/reload.json.
{ lib }:
let
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

  digest = value: builtins.hashString "sha256" (builtins.toJSON value);
in
# `role` is hub or leaf; the spec has one attribute of that name.
{
  role,
  spec,
  version,
}:
let
  # What is acknowledged is said in the build, and nowhere in nats.conf.
  body = lib.foldl' without spec.${role} [
    [
      "fleet"
      "acknowledged"
    ]
    [
      role
      "server"
      "acknowledged"
    ]
  ];
  hot = lib.filter (row: lib.versionAtLeast version row.since) table.${role};
  cold = lib.foldl' without body (map (row: lib.splitString "." row.path) hot);
in
{
  reload = digest body;
  # The epoch is bumped when the renderer writes something else for the same spec.
  restart = digest [
    epoch
    cold
  ];
}
