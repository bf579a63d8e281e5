# A seed where its public half belongs; all of them at once, before a spec is in the Nix store, and none of them shown.
let
  seed = "SUTHISISNOREALSEEDBUTITLOOKSLIKEONETOANYBODYWHOREADSITFAST";
in
{
  fleet =
    { lib, ... }:
    {
      accounts.CIM.users.alchemist.nkey = lib.mkForce seed;
      leaves.a = {
        certificate = lib.mkForce null;
        nkey = " ${seed}";
      };
      authCallout = {
        issuer = seed;
        account = "CIM";
      };
    };
  says = [
    "services.cim.fleet.accounts.CIM.users.alchemist.nkey: holds a seed (it is not shown)"
    "services.cim.fleet.leaves.a.nkey: holds a seed (it is not shown)"
    "services.cim.fleet.authCallout.issuer: holds a seed (it is not shown)"
  ];
  hides = [ "SUTHISIS" ];
}
