# Options of the listener for routes, which a hub's node and a node of a leaf cluster have.
{
  lib,
  # For messages: whose routes these are.
  what,
  # The instance's own files, see sops.nix.
  files,
  # A mkOption's default and defaultText for TLS.
  tls,
}:
let
  inherit (lib) mkOption types;
  cimTypes = import ./types.nix { inherit lib; };
  fields = import ./fields.nix { inherit lib; };
in
lib.recursiveUpdate (fields.options { block = "cluster"; }) {
  host = mkOption {
    type = types.str;
    default = "0.0.0.0";
    description = "Address that the listener binds to.";
  };
  openFirewall = mkOption {
    type = types.bool;
    default = false;
    description = "Whether to open the port for routes in the firewall.";
  };
  tls = mkOption (
    tls
    // {
      type = types.nullOr (
        cimTypes.tls files "cluster" "what the other nodes' certificates are held against."
      );
      description = "TLS of routes, verified on both ends. `null`: none.";
    }
  );
  plaintext = mkOption {
    type = types.bool;
    default = false;
    description = "Says out loud that routes between ${what} have no TLS.";
  };
  inherit (cimTypes) rttThresholds;
  compression = mkOption {
    type = types.nullOr types.str;
    default = null;
    example = "s2_auto";
    description = "How this node compresses what it sends over routes, with the modes of a leaf link. `null`: nats-server's own, `accept`.";
  };
}
