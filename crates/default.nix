# Rust → one package for each trust zone, so that the build's tools are not in a node's closure.
{ pkgs, inputs }:
let
  inherit (pkgs) lib;
  craneLib = inputs.crane.mkLib pkgs;
  # What cargo reads, tests' golden files included; a change elsewhere compiles nothing again.
  src = builtins.path {
    name = "cim-source";
    path = ../.;
    filter =
      path: _:
      let
        relative = lib.removePrefix "${toString ../.}/" (toString path);
        top = lib.head (lib.splitString "/" relative);
      in
      lib.elem top [
        "Cargo.toml"
        "Cargo.lock"
        ".cargo"
        "README.md" # a test holds its messages against the real ones
        "crates"
      ]
      || lib.elem relative [
        "docs"
        "docs/spec.schema.json" # a test holds it against the types
      ];
  };
  common = {
    inherit src;
    strictDeps = true;
    version = (builtins.fromTOML (builtins.readFile ../Cargo.toml)).workspace.package.version;
    # The tests run a real nats-server.
    nativeCheckInputs = [ pkgs.nats-server ];
  };
  zone = zoneWith { };
  zoneWith =
    more: pname: crates: binaries: description:
    craneLib.buildPackage (
      common
      // more
      // {
        inherit pname binaries;
        cargoExtraArgs = "--locked ${lib.concatMapStringsSep " " (crate: "--package ${crate}") crates}";
        meta = {
          inherit description;
          license = lib.licenses.asl20;
          mainProgram = lib.head binaries;
          platforms = lib.platforms.linux;
        };
      }
    );

  packages = rec {
    cim-build =
      zone "cim-build" [ "cim-spec" "cim-identity" "cim-render" "cim-check" ] [ "cim-render" "cim-check" ]
        "Renders and checks nats-server configurations; runs in the Nix build";
    cim-node =
      zone "cim-node"
        [ "cim-node" ]
        [
          "cim-health"
          "cim-backup"
          "cim-expiry"
          "cim-provision"
          "cim-reload"
          "cim-secrets"
        ]
        "What runs beside nats-server on a host";
    cim-admin =
      zoneWith
        {
          # The tests hold what is sealed against the real sops, with ssh host keys.
          nativeCheckInputs = [
            pkgs.nats-server
            pkgs.sops
            pkgs.age
            pkgs.openssh
          ];
          nativeBuildInputs = [ pkgs.installShellFiles ];
          postInstall = ''
            mkdir generated
            "$out/bin/cim-admin" docs generated
            installManPage generated/*.1
            installShellCompletion generated/cim-admin.bash generated/cim-admin.fish generated/_cim-admin
          '';
        }
        "cim-admin" [ "cim-admin" ] [ "cim-admin" ]
        "The operator's desk: makes identities and seals secrets";
    default = cim-build;
  };

  xtask = zone "xtask" [ "xtask" ] [ "xtask" ] "Tests and demonstrations of this project";
in
{
  inherit packages;

  # The demo on the specs of some hosts.
  demo = specs: {
    type = "app";
    program = lib.getExe (
      pkgs.writeShellApplication {
        name = "cim-demo";
        runtimeInputs = [
          pkgs.nats-server
          packages.cim-admin
          pkgs.sops
          pkgs.openssh
        ];
        text = ''exec ${lib.getExe xtask} demo --specs ${specs} "$@"'';
      }
    );
    meta.description = "Starts the fleet in hosts/ on loopback and shows what it does";
  };

  devShells.default = pkgs.mkShell {
    inputsFrom = [ packages.cim-build ];
    packages = [
      pkgs.nats-server
      pkgs.natscli
      pkgs.nkeys
      pkgs.clippy
      pkgs.rustfmt
    ];
  };
}
