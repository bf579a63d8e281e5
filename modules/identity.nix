# What the fleet's `identity` folder holds, as the values that mkFleet fills in where the operator wrote none.
#
# Plain functions of a fleet. However many leaves there are, one keys.json is read, and a JWT only where it is asked for.
{ lib }:
let
  importKeys = file: if lib.pathExists file then lib.importJSON file else { };
  textOf = file: if lib.pathExists file then lib.fileContents file else null;
  orElse = found: given: if given == null then found else given;
in
{
  # The fleet with public keys and JWTs from its folder; itself where it has none.
  fill =
    fleet:
    let
      folder = fleet.identity;
      keys = importKeys (folder + "/keys.json");
      isOperator = fleet.operator != null;

      # Known by no key, where something else says who it is.
      keyOf =
        key: entry:
        if entry.nkey != null || entry.certificate != null || (entry.passwordHash or null) != null then
          entry
        else
          entry // { nkey = key; };
      static = fleet // {
        leaves = lib.mapAttrs (name: keyOf (keys.leaves.${name} or null)) fleet.leaves;
        accounts = lib.mapAttrs (
          account: options:
          options
          // {
            users = lib.mapAttrs (user: keyOf (keys.users.${account}.${user} or null)) options.users;
          }
        ) fleet.accounts;
      };
      signed = fleet // {
        operator = fleet.operator // {
          jwt = orElse (textOf (folder + "/operator.jwt")) fleet.operator.jwt;
        };
        accounts = lib.mapAttrs (
          account: options:
          options
          // {
            nkey = orElse (keys.accounts.${account}.nkey or null) options.nkey;
            jwt = orElse (textOf (folder + "/accounts/${account}.jwt")) options.jwt;
          }
        ) fleet.accounts;
      };
    in
    if folder == null then
      fleet
    else if isOperator then
      signed
    else
      static;
}
