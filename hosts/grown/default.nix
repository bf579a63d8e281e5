# The fleet of hosts/template, grown to three hub nodes and two leaves: the identity plan and the specs that the demo in
# operator mode starts from. Nothing of an identity is in them.
{
  self,
  inputs,
  pkgs,
}:
let
  inherit (inputs.nixpkgs) lib;
  fleet = self.lib.mkFleet {
    imports = [
      ../template/fleet.nix
      ./grown.nix
    ];
  };
  files = {
    hub = ../template/hub.nix;
    hub-2 = ./hub-2.nix;
    hub-3 = ./hub-3.nix;
    plant-a = ../template/plant-a.nix;
    plant-b = ./plant-b.nix;
  };
  hosts = lib.mapAttrs (
    _: file:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        inputs.sops-nix.nixosModules.sops
        ../template/base.nix
        file
        {
          nixpkgs.hostPlatform = "x86_64-linux";
          services.cim = { inherit fleet; };
        }
      ];
    }
  ) files;
  json = name: value: {
    inherit name;
    path = pkgs.writeText (baseNameOf name) (builtins.toJSON value);
  };
in
[ (json "operator/plan.json" (self.lib.identity { inherit fleet hosts; })) ]
++ lib.concatMap (
  host:
  lib.mapAttrsToList (
    name: instance: json "operator/instances/${name}.json" instance.spec
  ) host.config.services.cim.instances
) (lib.attrValues hosts)
