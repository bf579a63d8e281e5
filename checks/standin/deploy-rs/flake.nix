# The outputs of deploy-rs that our flake uses.
{
  description = "Stand-in for deploy-rs: activation packages and the two checks over `deploy`";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs"; # our own input follows here; never fetched

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      libFor =
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
          activatable =
            settings: base: script:
            pkgs.symlinkJoin {
              name = "activatable-${base.name}";
              paths = [
                base
                (pkgs.writeTextFile {
                  name = "${base.name}-activate-path";
                  destination = "/deploy-rs-activate";
                  executable = true;
                  checkPhase = ''bash -n "$target"'';
                  text = ''
                    #!${pkgs.runtimeShell}
                    set -euo pipefail
                    case "''${DRY_ACTIVATE:-}''${BOOT:-}" in
                      "") ${script} ;;
                      *) ${settings.dryActivate or ":"} ;;
                    esac
                  '';
                })
                (pkgs.writeTextFile {
                  name = "${base.name}-activate-rs";
                  destination = "/activate-rs";
                  executable = true;
                  text = ''
                    #!${pkgs.runtimeShell}
                    echo "a stand-in deploys nothing" >&2
                    exit 1
                  '';
                })
              ];
            };
          custom.__functor = activatable;
        in
        {
          activate = {
            inherit custom;
            noop = base: custom base ":";
            nixos =
              base:
              # what the real one reads of a host; not every NixOS configuration has it
              assert lib.isBool base.config.boot.loader.systemd-boot.enable;
              assert lib.isString base.config.boot.loader.efi.efiSysMountPoint;
              custom base.config.system.build.toplevel "$PROFILE/bin/switch-to-configuration switch";
          };
          deployChecks = deploy: {
            deploy-schema = import ./schema.nix { inherit lib pkgs; } deploy;
            deploy-activate = import ./activate.nix { inherit lib pkgs; } deploy;
          };
        };
    in
    {
      lib = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ] libFor;
    };
}
