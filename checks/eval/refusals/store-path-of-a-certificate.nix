# The same holds in a block of the remote.
{
  host =
    { lib, pkgs, ... }:
    {
      services.cim.leaves.a.remotes.hub.tls.keyFile = lib.mkForce "${pkgs.writeText "key" "key"}";
    };
  # Our own words: the type's description, so that evaluation stops, not the build.
  says = [
    "services.cim.leaves.a.remotes.hub.tls.keyFile"
    "outside the Nix store"
  ];
}
