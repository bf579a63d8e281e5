# What any NixOS host must say about its machine: file systems, boot loader, place and time.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  bool =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  string =
    default:
    mkOption {
      type = types.str;
      inherit default;
    };
  strings =
    default:
    mkOption {
      type = types.listOf types.str;
      inherit default;
    };
  optional =
    type:
    mkOption {
      type = types.nullOr type;
      default = null;
    };
  fileSystem =
    { name, ... }:
    {
      options = {
        mountPoint = string name;
        device = optional types.nonEmptyStr;
        label = optional types.nonEmptyStr;
        fsType = string "auto";
        options = mkOption {
          type = types.nonEmptyListOf types.nonEmptyStr;
          default = [ "defaults" ];
        };
        neededForBoot = bool false;
        autoFormat = bool false;
        noCheck = bool false;
      };
    };
  swap = {
    options = {
      device = mkOption { type = types.nonEmptyStr; };
      size = optional types.int;
      priority = optional types.int;
    };
  };
in
{
  options = {
    fileSystems = mkOption {
      type = types.attrsOf (types.submodule fileSystem);
      default = { };
    };
    swapDevices = mkOption {
      type = types.listOf (types.submodule swap);
      default = [ ];
    };
    boot = {
      isContainer = bool false;
      initrd.availableKernelModules = strings [ ];
      kernelModules = strings [ ];
      kernelParams = strings [ ];
      kernel.sysctl = mkOption {
        type = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.bool
              types.str
              types.int
            ]
          )
        );
        default = { };
      };
      loader = {
        timeout = mkOption {
          type = types.nullOr types.int;
          default = 5;
        };
        systemd-boot.enable = bool false;
        systemd-boot.configurationLimit = optional types.int;
        efi.canTouchEfiVariables = bool false;
        efi.efiSysMountPoint = string "/boot";
        grub = {
          enable = bool false;
          device = string "";
          devices = strings [ ];
          efiSupport = bool false;
          efiInstallAsRemovable = bool false;
        };
      };
      tmp.cleanOnBoot = bool false;
    };
    time.timeZone = optional types.str;
    i18n.defaultLocale = string "en_US.UTF-8";
    console.keyMap = string "us";
    documentation.enable = bool true;
    system.stateVersion = string "26.05";
  };
}
