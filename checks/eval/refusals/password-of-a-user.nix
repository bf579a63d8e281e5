# A password where its hash belongs: told before a spec is in the Nix store, and not shown.
{
  host =
    { lib, ... }:
    {
      services.cim.leaves.a.accounts.CIM.users.app = {
        nkey = lib.mkForce null;
        passwordHash = "hunter2";
      };
    };
  says = [
    "services.cim.leaves.a.accounts.CIM.users.app.passwordHash: is no bcrypt hash (it is not shown: it may be a password)"
  ];
  hides = [ "hunter2" ];
}
