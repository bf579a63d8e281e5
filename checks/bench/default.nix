# A made-up fleet of any size: what it costs to evaluate, and the specs of all its members.
#
# Not a check: `cargo xtask bench` evaluates it with Nix's own statistics on.
{
  # A nixpkgs tree: the stand-in, or a real one.
  nixpkgs,
  leaves,
  # nixpkgs' own module for nats-server, to compare with.
  natsModule ? null,
}:
let
  flake = (import (nixpkgs + "/flake.nix")).outputs { self.outPath = nixpkgs; };
  inherit (flake) lib;
  pkgs = flake.legacyPackages.x86_64-linux;
  mkFleet = import ../../modules/mk-fleet.nix { inherit lib; };
  # No program of ours runs in an evaluation.
  self.packages.x86_64-linux = {
    cim-build = pkgs.nats-server;
    cim-node = pkgs.nats-server;
  };

  names = map (n: "leaf-${toString n}") (lib.range 1 leaves);
  hubNames = [
    "hub-1"
    "hub-2"
    "hub-3"
  ];
  fleet = mkFleet {
    hubs.hub = {
      nodes = lib.genAttrs hubNames (node: {
        address = "${node}.example.com";
      });
      leafnodes.verifyAndMap = true;
    };
    accounts.CIM = { };
    leaves = lib.genAttrs names (name: {
      account = "CIM";
      certificate = "CN=${name}";
      imports = [ "commands.>" ];
      exports = [
        "metrics.>"
        "leaf.${name}.>"
      ];
    });
  };

  tls = {
    certFile = "/run/secrets/server.pem";
    keyFile = "/run/secrets/server.key";
    caFile = "/etc/ssl/certs/cim-ca.pem";
  };
  leaf = {
    remotes.hub = { inherit tls; };
    accounts.CIM.users.app.passwordHash =
      "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
  };
  host =
    module:
    (lib.nixosSystem {
      modules = [
        (import ../../modules { inherit self; }).default
        ../../hosts/base.nix
        module
        {
          nixpkgs.hostPlatform = "x86_64-linux";
          services.cim.fleet = fleet;
        }
      ];
    }).config;
  hub =
    node:
    host {
      services.cim.hub = {
        enable = true;
        inherit node tls;
      };
    };
  specsOf = config: lib.mapAttrs (_: instance: instance.spec) config.services.cim.instances;
  units = config: lib.mapAttrs (_: unit: unit.text) config.systemd.units;
in
{
  # One host each, as a deploy evaluates it.
  hubHost = units (hub "hub-1");
  leafHost = units (host {
    services.cim.leaves.leaf-1 = leaf;
  });
  # The same host without us: what the rest costs.
  bareHost = units (host { });

  # The same host with nixpkgs' own module.
  natsHost = units (host {
    imports = [ natsModule ];
    services.nats = {
      enable = true;
      jetstream = true;
    };
  });

  # Every member's spec; all leaves on one host, whose ports nobody looks at here.
  fleet = (import ../../modules/spec.nix { inherit lib; }).fleet fleet;
  specs =
    lib.concatMapAttrs (_: specsOf) (lib.genAttrs hubNames hub)
    // specsOf (host {
      services.cim.leaves = lib.genAttrs names (_: leaf);
    });
}
