# The outputs of deploy-rs that our flake uses.
{
  description = "Stand-in for deploy-rs: activation packages, the two checks over `deploy`, and a program that deploys nothing";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs"; # our own input follows here; never fetched

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      libFor =
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
          script =
            name: destination: text:
            pkgs.writeTextFile {
              inherit name destination;
              executable = true;
              checkPhase = ''bash -n "$target"'';
              text = ''
                #!${pkgs.runtimeShell}
                set -euo pipefail
                ${text}
              '';
            };
          activatable =
            settings: base: activate:
            pkgs.symlinkJoin {
              name = "activatable-${base.name}";
              paths = [
                base
                # `activate` sets these two to 0 or 1; after a rollback it sets neither
                (script "${base.name}-activate-path" "/deploy-rs-activate" ''
                  if [ "''${DRY_ACTIVATE:-}" = 1 ]; then
                    ${settings.dryActivate or ":"}
                  elif [ "''${BOOT:-}" = 1 ]; then
                    ${settings.boot or ":"}
                  else
                    ${activate}
                  fi
                '')
                # the real one has the real `activate` in its closure; here it is whichever the machine has
                (script "${base.name}-activate-rs" "/activate-rs" ''exec activate "$@"'')
              ]
              ++ settings.more or [ ];
            };
          custom.__functor = activatable;
          # A system of the stand-in has none: this one has whoever reads its output switch, and takes the answer
          # as its exit code. The lab does; where nobody answers it fails.
          switchToConfiguration =
            toplevel:
            script "${toplevel.name}-switch" "/bin/switch-to-configuration" ''
              echo "switch-to-configuration $1 ${toplevel}"
              read -r status || { echo "nobody here switches ${toplevel}" >&2; exit 1; }
              exit "$status"
            '';
        in
        {
          activate = {
            inherit custom;
            noop = base: custom base ":";
            nixos =
              base:
              let
                inherit (base.config.system.build) toplevel;
              in
              # what the real one reads of a host; not every NixOS configuration has it
              assert lib.isBool base.config.boot.loader.systemd-boot.enable;
              assert lib.isString base.config.boot.loader.efi.efiSysMountPoint;
              (
                custom
                // {
                  dryActivate = "$PROFILE/bin/switch-to-configuration dry-activate";
                  boot = "$PROFILE/bin/switch-to-configuration boot";
                  more = [ (switchToConfiguration toplevel) ];
                }
              )
                toplevel
                "$PROFILE/bin/switch-to-configuration switch";
          };
          deployChecks = deploy: {
            deploy-schema = import ./schema.nix { inherit lib pkgs; } deploy;
            deploy-activate = import ./activate.nix { inherit lib pkgs; } deploy;
          };
        };
      systems = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ];
    in
    {
      lib = systems libFor;
      # It says what it would be told, and deploys nothing.
      packages = systems (system: {
        deploy-rs = nixpkgs.legacyPackages.${system}.writeShellApplication {
          name = "deploy";
          text = ''echo "deploy $*"'';
        };
      });
    };
}
