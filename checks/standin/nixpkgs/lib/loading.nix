# From modules as written (path, function, set) to a flat list of modules in the order they are merged.
lib:
let
  inherit (builtins)
    attrNames
    concatMap
    elem
    filter
    genericClosure
    head
    isAttrs
    isList
    isPath
    isString
    mapAttrs
    removeAttrs
    substring
    toJSON
    ;
  inherit (lib) imap1 isFunction isType;

  structuralAttributes = [
    "_class"
    "_file"
    "key"
    "disabledModules"
    "imports"
    "options"
    "config"
    "meta"
    "freeformType"
  ];

  # one shape for the short form (config only) and the long one
  normalise =
    file: key: module:
    let
      long = module ? config || module ? options;
      unknown = attrNames (removeAttrs module structuralAttributes);
      written =
        if long then
          module.config or { }
        else
          removeAttrs module [
            "_class"
            "_file"
            "key"
            "disabledModules"
            "require"
            "imports"
            "freeformType"
          ];
    in
    if !isAttrs module then
      throw "module ${toString file} (${toString key}) does not look like a module."
    else if isType "if" module || isType "override" module then
      normalise file key { config = module; }
    else if long && unknown != [ ] then
      throw "Module `${toString key}' has an unsupported attribute `${head unknown}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString unknown}) into the explicit `config' attribute."
    else
      {
        file = toString (module._file or file);
        key = toString (module.key or key);
        class = module._class or null;
        disabled = module.disabledModules or [ ];
        imports = lib.optionals (!long) (module.require or [ ]) ++ module.imports or [ ];
        options = if long then module.options or { } else { };
        config =
          if module ? freeformType then
            lib.mkMerge [
              written
              { _module.freeformType = module.freeformType; }
            ]
          else
            written;
      };

  # a module gets the arguments it names, from `args` or else from `_module.args`
  apply =
    args: key: f:
    let
      named = mapAttrs (
        name: _:
        builtins.addErrorContext "while evaluating the module argument `${name}' in \"${key}\":" (
          args.${name} or args.config._module.args.${name}
        )
      ) (lib.functionArgs f);
    in
    f (args // named);
  call =
    args: key: value:
    if isFunction value then apply args key value else value;

  load =
    args: parentFile: parentKey: n: module:
    let
      anonymous = "${parentKey}:anon-${toString n}";
      isFile =
        isPath module || isString module || (module ? outPath && !(module ? config || module ? imports));
    in
    if isFile then
      normalise module module (call args (toString module) (import module))
    else if isList module then
      throw "Module imports can't be nested lists. Perhaps you meant to remove one level of lists? Definitions: ${
        lib.generators.toPretty { } module
      }"
    else if
      isAttrs module
      && module ? _type
      && !(elem module._type [
        "if"
        "override"
      ])
    then
      throw "Could not load a value as a module, because it is of type ${toJSON module._type}, in file ${toString parentFile}."
    else if isAttrs module then
      normalise (module._file or parentFile) (module.key or anonymous) (call args anonymous module)
    else
      normalise parentFile anonymous (call args anonymous module);
in
{
  # Breadth first, each key once, then reversed: imports come before their importer, later modules before earlier ones.
  collectModules =
    class: modulesPath: args: initial:
    let
      expand =
        file: key: modules:
        imap1 (
          n: written:
          let
            module = load args file key n written;
          in
          if class != null && module.class != null && module.class != class then
            throw "The module `${module.file}' (class: ${toJSON module.class}) cannot be imported into a module evaluation that expects class ${toJSON class}."
          else
            {
              inherit (module) key;
              inherit module;
              children = expand module.file module.key module.imports;
            }
        ) modules;
      tree = expand "<unknown-file>" "" initial;
      disabledKey =
        entry:
        if isString entry && substring 0 1 entry != "/" then
          "${toString modulesPath}/${entry}"
        else if isAttrs entry then
          toString (entry.key or (throw "disabledModules: a set needs a `key'"))
        else
          toString entry;
      disabledIn = concatMap (node: map disabledKey node.module.disabled ++ disabledIn node.children);
      disabled = disabledIn tree;
      prune =
        nodes:
        map (node: node // { children = prune node.children; }) (
          filter (node: !elem node.key disabled) nodes
        );
    in
    lib.reverseList (
      map (node: node.module) (genericClosure {
        startSet = prune tree;
        operator = node: node.children;
      })
    );

  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };

  importApply = file: args: lib.modules.setDefaultModuleLocation file (import file args);
}
