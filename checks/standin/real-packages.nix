# The stand-in's packages, and a name for each of nixpkgs' that NixOS's own modules put into a host or a virtual machine.
#
# Nobody builds them. Another tree names others: the error says which, and it goes into a list below.
{
  # the stand-in's package set, under nixpkgs' lib
  standin,
  lib,
}:
let
  words =
    text:
    lib.filter (word: word != "") (lib.splitString " " (lib.replaceStrings [ "\n" ] [ " " ] text));
  packages = words ''
    OVMF acl aggregateModules attr audit bash-completion bashInteractive bcache-tools btrfs-progs bzip2 cacert
    closureInfo concatText coreutils-full cpio dbus dhcpcd dosfstools e2fsprogs fish fontconfig fuse fuse3
    getconf getent glibcLocales gnupatch grafana grub2 hicolor-icon-theme host iana-etc iptables iputils kbd kexec-tools
    kmod kmod-blacklist-ubuntu kmod-debian-aliases less lesspipe libarchive libcap linuxHeaders logrotate lvm2
    makeDBusConf makeFontsCache makeInitrdNGTool makeWrapper man-db mdadm mkpasswd mypy nano ncurses netcat
    netpbm nettools nix-bash-completions nix-info nixos-artwork nixos-container nixos-firewall-tool nixos-option
    nixos-rebuild nixosTests nsncd openresolv pam perl prometheus prometheus-nats-exporter python3Packages qemu_test rsync ruff runCommandCC
    shared-mime-info socat sound-theme-freedesktop strace su substitute substituteAll sudo texinfoInteractive
    time tzdata vde2 which xonsh xorg xz zsh
  '';
  # What they are asked for: outputs, members, functions.
  members = words ''
    bintools buildPythonApplication cc cli colorama dynamicLinker fd ga gnomeFilePath interfaceVersion junit-xml libc
    lndir modDirVersion p11kit ptpython pyflakes simple-dark-gray-bootloader su util-linux wallpapers withPackages
    xauth xwininfo
  '';
  without = words ''
    systemManagementModeRequired withBootloader withCryptsetup withEfi withHostnamed withImportd withLocaled
    withMachined withPortabled withTimedated withTpm2Tss withUtmp
  '';
  formats = words "gitIni ini iniWithGlobalSection keyValue toml yaml";

  parts =
    name:
    lib.genAttrs members (member: named "${name}-${member}")
    // lib.genAttrs without (_: false)
    // {
      inherit (standin) stdenv;
    };
  # A package, and a function that makes one of whatever it is given.
  named =
    name:
    parts name
    // derivation {
      name = lib.strings.sanitizeDerivationName name;
      inherit (standin.stdenv.hostPlatform) system;
      builder = "/bin/false";
    }
    // {
      pname = name;
      # as new as anything that a module asks for
      version = "99";
      outputs = [ "out" ];
      out = named name;
      shellPath = "/bin/${name}";
      meta.mainProgram = name;
      override = _: named name;
      overrideAttrs = _: named name;
      __functor = _: _: named name;
    };
  linuxPackages = named "linux-packages" // {
    kernel = named "linux" // {
      version = "6.12";
      features = { };
      kernelAtLeast = _version: true;
    };
    extend = _overlay: linuxPackages;
  };
in
standin.extend (
  final: previous:
  lib.mapAttrs (
    name: package: if lib.isDerivation package then parts name // package else package
  ) previous
  // lib.genAttrs packages named
  // {
    inherit linuxPackages;
    __splicedPackages = final;
    config = { };
    overlays = [ ];
    pkgsStatic = final;
    pkgsi686Linux = final;
    nix = named "nix";
    libxcrypt = named "libxcrypt" // {
      enabledCryptSchemeIds = [ ];
    };
    makeInitrd =
      _:
      named "initrd"
      // {
        compressorArgs = [ ];
        compressorExecutableFunction = _: "cat";
      };
    formats =
      lib.genAttrs formats (
        _: _settings: {
          type = lib.types.attrsOf lib.types.anything;
          generate = name: _: named name;
        }
      )
      // previous.formats;
    stdenv =
      parts "stdenv"
      // previous.stdenv
      // {
        inherit (previous.stdenv.hostPlatform) is64bit;
        mkDerivation =
          args:
          parts args.name
          // final.runCommand (builtins.unsafeDiscardStringContext args.name) {
            outputs = [ "out" ];
            passthru = args.passthru or { };
          } (args.buildCommand or "");
      };
  }
)
