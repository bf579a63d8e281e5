# The outputs of crane that our flake uses.
{
  description = "Stand-in for crane: a package is the programs that CI built with cargo and put in the nixpkgs stand-in's bin/";

  outputs = _: {
    mkLib =
      pkgs:
      let
        inherit (pkgs) lib;
        inCargoSource =
          path: type:
          let
            base = baseNameOf path;
          in
          type == "directory"
          || lib.hasSuffix ".rs" base
          || lib.hasSuffix ".toml" base
          || lib.hasSuffix ".lock" base
          || base == "config";
      in
      {
        filterCargoSources = inCargoSource;
        cleanCargoSource =
          src:
          lib.cleanSourceWith {
            inherit src;
            filter = inCargoSource;
            name = "source";
          };
        # what real crane reads from Cargo.toml
        crateNameFromCargoToml =
          {
            src ? throw "stand-in for crane: crateNameFromCargoToml needs src or cargoToml",
            cargoToml ? src + "/Cargo.toml",
            ...
          }:
          let
            toml = lib.importTOML cargoToml;
            package = toml.workspace.package or { } // toml.package or { };
          in
          {
            pname = package.name or "cargo-package";
            version = package.version or "0.0.1";
          };
        buildDepsOnly =
          args:
          pkgs.runCommand "${args.pname or "cargo-package"}-deps" { } ''
            echo "dependencies were built by cargo, outside Nix" > $out
          '';
        # `binaries` is passed through by real crane as an environment variable
        buildPackage =
          args:
          pkgs.builtProgram {
            pname = args.pname or (throw "stand-in for crane: buildPackage needs pname");
            version = args.version or "0.0.1";
            binaries = args.binaries or [ args.pname ];
            meta = args.meta or { };
            passthru = args.passthru or { };
          };
      };
  };
}
