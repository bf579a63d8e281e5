# Whether a host's sealed file and the fleet's identity hold what its instances read: assertions, made at evaluation.
{ lib }:
let
  make = "Make what is missing: nix run .#identity, then git add identity secrets.";

  # `secrets/hub-1.yaml`: a flake's own path is one in the store.
  shown = file: "${baseNameOf (dirOf file)}/${baseNameOf file}";

  # Whether a YAML file has an entry at its top, and whether sops encrypted its value.
  has =
    after: text: entry:
    lib.any (key: lib.hasInfix "\n${key}:${after}" "\n${text}") [
      entry
      "\"${entry}\""
    ];
  isThere = has "";
  isSealed = has " ENC[";

  hasFile = cfg: cfg.file != null && lib.pathExists cfg.file;
  textOf = cfg: lib.optionalString (hasFile cfg) (builtins.readFile cfg.file);
  isEncrypted = cfg: lib.hasInfix "\nsops:\n" "\n${textOf cfg}" && lib.hasInfix "ENC[" (textOf cfg);
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
      text = textOf cfg;
      missing = lib.filter (entry: !isThere text entry) entries;
      plain = lib.filter (entry: isThere text entry && !isSealed text entry) entries;
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
