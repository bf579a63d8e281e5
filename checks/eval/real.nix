# Hosts and VM tests under the real NixOS modules and sops-nix's: what these make of our settings, beside what the stand-ins do.
{
  # The stand-in for nixpkgs: its lib, and its packages for the system.
  lib,
  pkgs,
  system,
  # The flake, and what it is given.
  inputs,
  self,
  # describe.nix.
  describe,
  # The hosts of identities/.
  identities,
}:
{
  # One host under NixOS's own modules: see ../standin/real.nix.
  real =
    { nixpkgs, name }:
    let
      realLib = import (nixpkgs + "/lib");
      mkFleet = import ../../modules/mk-fleet.nix { lib = realLib; };
    in
    import ../standin/real.nix {
      configuration = self.nixosConfigurations.${name};
      nixpkgsLib = nixpkgs + "/lib";
      nixos = nixpkgs + "/nixos";
      extract =
        config:
        let
          # What NixOS's own modules make of our settings is theirs; that they take them is not.
          theirs = lib.intersectAttrs (lib.genAttrs [
            "grafana.service"
            "prometheus.service"
            "prometheus-nats-exporter.service"
          ] (_: null)) config.systemd.units;
        in
        {
          specs = describe.specs config;
          monitoring = builtins.deepSeq (map (unit: builtins.stringLength unit.text) (
            lib.attrValues theirs
          )) (describe.monitoring config);
        };
      # The fleet, too, is made by the real lib.
      modules = [ { services.cim.fleet = realLib.mkForce (mkFleet ../../hosts/fleet.nix); } ];
    };

  # Every host with an identity under NixOS's own modules and sops-nix's: what sops-nix makes of our secrets, against what
  # the stand-in makes of them. A host that must not build is left out: sops-nix stops evaluation at other places; so is one
  # without sops-nix.
  realSops =
    { nixpkgs, sopsNix }:
    let
      realLib = import (nixpkgs + "/lib");
      describeReal = import ./describe.nix { lib = realLib; };
      good = lib.filterAttrs (
        _: host: host.options ? sops && (describe.identity host.config).failed == [ ]
      ) identities;
      # What sops-install-secrets reads on the host.
      manifest =
        config:
        builtins.fromJSON (builtins.unsafeDiscardStringContext config.system.build.sops-nix-manifest.text);
      fields = secret: {
        inherit (secret)
          name
          key
          path
          format
          mode
          owner
          group
          reloadUnits
          restartUnits
          neededForUsers
          sopsFileHash
          ;
      };
    in
    lib.mapAttrs (
      _: host:
      import ../standin/real.nix {
        configuration = host;
        nixpkgsLib = nixpkgs + "/lib";
        nixos = nixpkgs + "/nixos";
        extract = config: {
          identity = describeReal.identity config;
          secrets = lib.mapAttrs (_: fields) config.sops.secrets;
          manifest =
            if config.system.build ? sops-nix-manifest then
              map fields (manifest config).secrets
            else
              map fields (lib.attrValues config.sops.secrets);
        };
        modules = [
          { disabledModules = [ inputs.sops-nix.nixosModules.sops ]; }
          (sopsNix + "/modules/sops")
          # Nobody builds it, nor its manual.
          (
            { pkgs, ... }:
            {
              documentation.enable = realLib.mkForce false;
              sops.package = realLib.mkForce pkgs.jq;
              sops.gnupg.package = realLib.mkForce pkgs.jq;
            }
          )
        ];
      }
    ) good;

  # The VM tests under NixOS's own test framework: see ../standin/real-vm.nix.
  realVm =
    { nixpkgs }:
    let
      realLib = import (nixpkgs + "/lib");
      # The fleet, too, is made by the lib that is given.
      tests =
        { lib, pkgs }:
        import ../vm {
          inherit lib pkgs inputs;
          self = self // {
            lib = import ../../modules/lib.nix { inherit lib self inputs; };
          };
        };
    in
    import ../standin/real-vm.nix {
      inherit tests;
      mine = tests { inherit lib pkgs; };
      lib = realLib;
      nixos = nixpkgs + "/nixos";
      pkgs = import ../standin/real-packages.nix {
        lib = realLib;
        standin = import pkgs.path {
          inherit system;
          lib = realLib;
        };
      };
      extract = config: {
        inherit (describe.units config) units;
        specs = describe.specs config;
        ports = config.networking.firewall.allowedTCPPorts;
      };
    };
}
