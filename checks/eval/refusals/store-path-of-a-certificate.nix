# The same holds in a block of the remote.
{
  host =
    { lib, pkgs, ... }:
    {
      services.cim.leaves.a.remotes.hub.tls.keyFile = lib.mkForce "${pkgs.writeText "key" "key"}";
    };
  says = [ "services.cim.leaves.a.remotes.hub.tls.keyFile" ];
}
