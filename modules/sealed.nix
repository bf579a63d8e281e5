# Whether a host's sealed file and the fleet's identity hold what its instances read: assertions, made at evaluation.
{ lib }:
let
  make = "Make what is missing: nix run .#identity, then git add identity secrets.";

  # `secrets/hub-1.yaml`: a flake's own path is one in the store.
  shown = file: "${baseNameOf (dirOf file)}/${baseNameOf file}";

  # The values at the top of a YAML file, as cim-admin writes it (all in quotes) and as sops does (none), by key.
  valuesOf =
    text:
    let
      parse = builtins.match "[\"']?([^\"' #:-][^\"':]*)[\"']?: *[\"']?(.*)";
      found = lib.filter (parts: parts != null) (map parse (lib.splitString "\n" text));
    in
    lib.listToAttrs (map (parts: lib.nameValuePair (lib.head parts) (lib.last parts)) found);
  isSealed = lib.hasPrefix "ENC[";

  hasFile = cfg: cfg.file != null && lib.pathExists cfg.file;
  valuesIn = cfg: lib.optionalAttrs (hasFile cfg) (valuesOf (builtins.readFile cfg.file));
  # sops writes a block of its own into what it encrypts.
  isEncrypted = cfg: valuesIn cfg ? sops && lib.any isSealed (lib.attrValues (valuesIn cfg));
in
{
  # Whether sops-nix can take the file.
  inherit isEncrypted;

  assertions =
    {
      # services.cim.sops
      cfg,
      isImported,
      hasIdentity,
      # Files of the identity that the host installs, and those of them that are there.
      public,
      there,
    }:
    let
      entries = lib.attrNames cfg.entries;
      values = valuesIn cfg;
      missing = lib.filter (entry: !values ? ${entry}) entries;
      plain = lib.filter (entry: values ? ${entry} && !isSealed values.${entry}) entries;
      absent = lib.unique (
        map (file: "identity/${file.path}") (lib.filter (file: !lib.elem file there) public)
      );
      list = lib.concatStringsSep ", ";

      # Each makes sense only where those before it hold.
      first = lib.findFirst (problem: problem.isSo) null [
        {
          isSo = !isImported;
          says = ''
            services.cim.sops.enable: is true, but sops-nix is not among the host's modules.
            Add sops-nix.nixosModules.sops, or write false and name every file.'';
        }
        {
          isSo = !hasIdentity;
          says = ''
            services.cim.sops.enable: is true, but the fleet has no identity.
            Write identity = ./identity; in the fleet, or false here.'';
        }
        {
          isSo = entries != [ ] && !hasFile cfg;
          says = ''
            services.cim.sops.file: there is no ${shown cfg.file}, which must hold ${list entries}.
            ${make}'';
        }
        {
          isSo = entries != [ ] && !isEncrypted cfg;
          says = ''
            services.cim.sops.file: ${shown cfg.file} is not encrypted by sops: whatever is in it can be read by everybody.
            Take it out of git and its history, renew what was in it, and let nix run .#identity write the file.'';
        }
        {
          isSo = entries != [ ] && plain != [ ];
          says = ''
            services.cim.sops.file: ${shown cfg.file} holds ${list plain} unencrypted, to be read by everybody.
            Take it out of git and its history, and renew it: cim-admin rotate.'';
        }
        {
          isSo = entries != [ ] && missing != [ ];
          says = ''
            services.cim.sops.file: ${shown cfg.file} does not hold ${list missing}.
            ${make}'';
        }
      ];
    in
    lib.optionals cfg.enable (
      lib.optional (first != null) {
        assertion = false;
        message = first.says;
      }
      ++ lib.optional (hasIdentity && absent != [ ]) {
        assertion = false;
        message = ''
          services.cim.fleet.identity: there is no ${list absent}.
          ${make}'';
      }
    );
}
