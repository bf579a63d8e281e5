# `lib.outputs`: packages, apps and checks that an operator's flake has for his fleet, for each system.
{
  lib,
  # This flake, for its programs, and its inputs.
  cim,
  inputs,
}:
{
  # The operator's flake.
  self,
  # As mkFleet makes it.
  fleet,
  # NixOS systems that run the fleet.
  hosts ? self.nixosConfigurations,
}:
let
  plan = import ./plan.nix { inherit lib; } { inherit fleet hosts; };
  checks = import ./checks.nix { inherit lib; };
  hasIdentity = fleet.identity != null;

  of =
    system:
    let
      pkgs = inputs.nixpkgs.legacyPackages.${system};
      inherit (cim.packages.${system}) cim-admin cim-build;
      planFile = pkgs.writeText "identity-plan.json" (builtins.toJSON plan);
      app = name: description: runtimeInputs: text: {
        type = "app";
        program = lib.getExe (pkgs.writeShellApplication { inherit name runtimeInputs text; });
        meta = { inherit description; };
      };
      desk =
        name: description: arguments:
        app name description [ cim-admin ] ''exec cim-admin ${arguments} "$@"'';
    in
    {
      packages = lib.optionalAttrs hasIdentity { identity-plan = planFile; };
      apps =
        lib.optionalAttrs hasIdentity {
          identity =
            desk "cim-identity" "Makes and renews the keys, JWTs and certificates of the fleet"
              "identity make --plan ${planFile}";
          expiry =
            desk "cim-expiry" "Says what of the fleet's identity ends soon"
              "expiry --plan ${planFile}";
        }
        // lib.optionalAttrs ((self.deploy or { }) ? targets) {
          # Why these flags, deploy.nix says.
          deploy =
            app "cim-deploy" "Deploys the fleet's hosts, hubs first, if nothing of its identity ends soon"
              [
                cim-admin
                inputs.deploy-rs.packages.${system}.deploy-rs
              ]
              ''
                ${lib.optionalString hasIdentity "cim-admin expiry --plan ${planFile}"}
                exec deploy --rollback-succeeded false --targets ${self.deploy.targets} "$@"
              '';
        };
      checks = checks {
        inherit
          pkgs
          cim-build
          fleet
          hosts
          ;
        at = self.lastModified;
      };
    };
  systems = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] of;
in
lib.genAttrs [ "packages" "apps" "checks" ] (output: lib.mapAttrs (_: made: made.${output}) systems)
