# Durable flows as a spec has them: which accounts hold their streams, and which part of them nats-server never hears of.
{ lib }:
# `own`: the spec of one instance of this role.
role: own:
let
  leaves =
    if role == "hub" then
      lib.filterAttrs (_: lib.isAttrs) own.fleet.leaves
    else
      lib.optionalAttrs (own.fleet.leaf != null) { ${own.name} = own.fleet.leaf; };

  isDurable = flow: flow.durable or null != null;
  ways = [
    "imports"
    "exports"
  ];
  flowsOf = leaf: lib.filter isDurable (lib.concatMap (way: leaf.${way}) ways);
  # At the hub those that name another one are that one's.
  here =
    flow:
    role == "leaf"
    || flow.durable.hub == null
    || lib.elem flow.durable.hub (lib.attrNames own.fleet.hubs);
  account = leaf: if role == "hub" then leaf.account else leaf.localAccount;
  holds = leaf: lib.any here (flowsOf leaf);

  # How much is stored is a matter of the streams alone.
  withoutSizes =
    flow:
    if isDurable flow then
      flow
      // {
        durable = lib.getAttrs [
          "name"
          "stream"
          "hub"
        ] flow.durable;
      }
    else
      flow;
  cut =
    leaf:
    lib.mapAttrs (
      name: value: if lib.elem name ways && lib.isList value then map withoutSizes value else value
    ) leaf;
  seen =
    name: value:
    if name == "leaves" && lib.isAttrs value then
      lib.mapAttrs (_: leaf: if lib.isAttrs leaf then cut leaf else leaf) value
    else if name == "leaf" && lib.isAttrs value then
      cut value
    else
      value;
in
{
  accounts = lib.unique (map account (lib.filter holds (lib.attrValues leaves)));

  # What their streams are made of.
  streams = lib.filterAttrs (_: flows: flows != [ ]) (lib.mapAttrs (_: flowsOf) leaves);

  # The same spec as nats-server sees it. Whatever else it holds is not looked at: it may be one that a test made.
  unsized = own // {
    fleet = if lib.isAttrs own.fleet then lib.mapAttrs seen own.fleet else own.fleet;
  };
}
