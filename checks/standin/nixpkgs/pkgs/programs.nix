# Programs as packages: each from ./bin where CI put it there, else a link to the host's; none is found only when built.
{
  lib,
  bin,
  builders,
}:
let
  inherit (lib) concatMapStrings optionalString;
  inherit (builtins) pathExists readFile;
  hostPath = "/usr/bin:/bin:/usr/sbin:/sbin";

  provided = program: bin + "/${program}";
  install =
    package: program:
    if pathExists (provided program) then
      ''
        cp ${provided program} $out/bin/${program}
        chmod +x $out/bin/${program}
      ''
    else
      ''
        if [ -e /usr/bin/${program} ]; then
          ln -s /usr/bin/${program} $out/bin/${program}
        elif [ -e /usr/sbin/${program} ]; then
          ln -s /usr/sbin/${program} $out/bin/${program}
        else
          echo "stand-in for nixpkgs: ${package} needs ${program}, which is neither in bin/ nor on this host" >&2
          exit 1
        fi
      '';
  package =
    {
      name,
      programs,
      # linked to whether this host has them or not: for units that run on another
      elsewhere ? [ ],
      version ? "0",
      mainProgram ? lib.head programs,
    }:
    builders.raw {
      name = "${name}-${version}";
      path = hostPath;
      script = ''
        mkdir -p $out/bin
        ${optionalString (name == "systemd") "ln -s bin $out/sbin"}
      ''
      + concatMapStrings (install name) programs
      + concatMapStrings (program: "ln -s /usr/bin/${program} $out/bin/${program}\n") elsewhere;
    }
    // {
      pname = name;
      inherit version;
      meta = { inherit mainProgram; };
    };

  coreutils = lib.splitString " " (
    "arch b2sum base32 base64 basename cat chgrp chmod chown chroot cksum comm cp csplit cut date dd df dir dircolors "
    + "dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln logname "
    + "ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx "
    + "pwd readlink realpath rm rmdir runcon sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort "
    + "split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq "
    + "unlink users vdir wc who whoami yes ["
  );
  several = {
    inherit coreutils;
    bash = [
      "bash"
      "sh"
    ];
    diffutils = [
      "diff"
      "cmp"
    ];
    findutils = [
      "find"
      "xargs"
    ];
    gnugrep = [
      "grep"
      "egrep"
      "fgrep"
    ];
    gzip = [
      "gzip"
      "gunzip"
      "zcat"
    ];
    iproute2 = [
      "ip"
      "ss"
    ];
    nix = [
      "nix"
      "nix-build"
      "nix-instantiate"
      "nix-store"
    ];
    shadow = [
      "nologin"
      "useradd"
    ];
    util-linux = [
      "flock"
      "logger"
      "mount"
      "setpriv"
      "umount"
    ];
  };
  # package name to the one program that it is for
  single = {
    age = "age";
    cargo = "cargo";
    cargo-deny = "cargo-deny";
    cargo-nextest = "cargo-nextest";
    check-jsonschema = "check-jsonschema";
    clippy = "cargo-clippy";
    curl = "curl";
    deadnix = "deadnix";
    gawk = "awk";
    git = "git";
    gnused = "sed";
    gnutar = "tar";
    jq = "jq";
    natscli = "nats";
    nkeys = "nk";
    nixfmt = "nixfmt";
    nixfmt-rfc-style = "nixfmt";
    nsc = "nsc";
    openssh = "ssh";
    openssl = "openssl";
    procps = "ps";
    python3 = "python3";
    rust-analyzer = "rust-analyzer";
    rustc = "rustc";
    rustfmt = "rustfmt";
    shellcheck = "shellcheck";
    sops = "sops";
    ssh-to-age = "ssh-to-age";
    taplo = "taplo";
    treefmt = "treefmt";
    zstd = "zstd";
  };
  packages = lib.mapAttrs (name: programs: package { inherit name programs; }) (
    several // lib.mapAttrs (_: lib.singleton) single
  );
  versionFile = bin + "/nats-server.version";
  # whatever else CI put there is a package of its own name
  others = lib.filterAttrs (name: _: !(packages ? ${name}) && name != baseNameOf versionFile) (
    lib.optionalAttrs (pathExists bin) (builtins.readDir bin)
  );
in
packages
// lib.mapAttrs (
  name: _:
  package {
    inherit name;
    programs = [ name ];
  }
) others
// {
  systemd = package {
    name = "systemd";
    programs = [ "systemd-analyze" ];
    elsewhere = [
      "systemctl"
      "journalctl"
      "systemd-notify"
      "systemd-run"
      "systemd-tmpfiles"
    ];
  };

  nats-server = package {
    name = "nats-server";
    programs = [ "nats-server" ];
    version =
      if pathExists versionFile then
        lib.trim (readFile versionFile)
      else
        throw "stand-in for nixpkgs: bin/nats-server.version is missing: it holds the version of bin/nats-server";
  };

  # a package of programs that CI built, in the place of what a builder would make
  builtProgram =
    {
      pname,
      version,
      binaries,
      meta ? { },
      passthru ? { },
    }:
    let
      absent = lib.filter (program: !(pathExists (provided program))) binaries;
    in
    lib.throwIf (absent != [ ])
      "stand-in for crane: ${pname} has no ${toString absent}: build it and put it in bin/ beside the stand-in's flake.nix"
      (
        package {
          name = pname;
          inherit version;
          programs = binaries;
        }
        // passthru
        // {
          meta = {
            mainProgram = lib.head binaries;
          }
          // meta;
        }
      );

  # what is on PATH in every build, as in nixpkgs' stdenv
  stdenvTools = builders.raw {
    name = "stdenv-tools";
    path = hostPath;
    script =
      "mkdir -p $out/bin\n"
      + concatMapStrings (install "stdenv") (
        lib.concatMap (name: several.${name} or [ single.${name} ]) [
          "bash"
          "coreutils"
          "diffutils"
          "findutils"
          "gawk"
          "gnugrep"
          "gnused"
          "gnutar"
          "gzip"
        ]
      );
  };
}
