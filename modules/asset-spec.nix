# Assets → spec: what each server of the fleet makes, cut down to what is declared.
{ lib }:
let
  fields = import ./fields.nix { inherit lib; };

  part =
    block: names: options:
    lib.genAttrs names (name: options.${name} or null)
    // {
      fields = fields.set { inherit block; } options;
    };
  source = part "source" [
    "name"
    "leaf"
    "hub"
  ];
  copies = options: {
    mirror = lib.mapNullable source options.mirror;
    sources = map source options.sources;
  };

  stream =
    options:
    part "stream" [ "hub" "allowDataLoss" "longestPartition" "rate" ] options
    // copies options
    // {
      consumers = lib.mapAttrs (_: part "consumer" [ "allowDataLoss" ]) options.consumers;
    };
  bucket = options: part "kv" [ "hub" "allowDataLoss" ] options // copies options;

  # Of an account, what `here` picks.
  ofAccount =
    here: account:
    let
      picked = lib.filterAttrs (_: here);
    in
    {
      streams = lib.mapAttrs (_: stream) (picked account.streams);
      kv = lib.mapAttrs (_: bucket) (picked account.kv);
      objectStores = lib.mapAttrs (
        _:
        part "object-store" [
          "hub"
          "allowDataLoss"
        ]
      ) (picked account.objectStores);
    };
  some = lib.filterAttrs (_: assets: lib.any (kind: kind != { }) (lib.attrValues assets));
in
{
  # Accounts with what they hold, where they hold something; `here` says which of it.
  assets = here: accounts: some (lib.mapAttrs (_: ofAccount here) accounts);
}
