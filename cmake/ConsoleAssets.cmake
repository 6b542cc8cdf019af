# keyturn_console_assets(target): builds console/ with npm and embeds the result in target.
#
# console_assets.inc and assets.S come out of console/embed.mjs; without Node 20 they hold one page
# that explains what is missing.
set(KEYTURN_CONSOLE_NODE_MIN 20)

function(keyturn_console_assets target)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/assets)
  set(source ${PROJECT_SOURCE_DIR}/console)
  find_program(KEYTURN_NODE node)
  find_program(KEYTURN_NPM npm)
  set(version 0)
  if(KEYTURN_NODE AND KEYTURN_NPM)
    execute_process(COMMAND ${KEYTURN_NODE} --version OUTPUT_VARIABLE version
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REGEX REPLACE "^v([0-9]+).*" "\\1" version "${version}")
  endif()

  file(MAKE_DIRECTORY ${out})
  if(version LESS KEYTURN_CONSOLE_NODE_MIN)
    message(WARNING "Node ${KEYTURN_CONSOLE_NODE_MIN} or newer with npm was not found: the web "
                    "console is left out, and its address says so.")
    configure_file(${source}/missing.html ${out}/missing.html COPYONLY)
    file(WRITE ${out}/console_assets.inc
         "#define KEYTURN_CONSOLE_ASSETS KEYTURN_ASSET(missing, \"/console/index.html\", "
         "\"text/html; charset=utf-8\", \"\\\"missing\\\"\", false)\n")
    file(WRITE ${out}/assets.S
         ".section .rodata\n"
         ".global kt_missing_bytes, kt_missing_bytes_end, kt_missing_gzip, kt_missing_gzip_end, "
         "kt_missing_brotli, kt_missing_brotli_end\n"
         "kt_missing_bytes: .incbin \"${out}/missing.html\"\n"
         "kt_missing_bytes_end:\nkt_missing_gzip:\nkt_missing_gzip_end:\n"
         "kt_missing_brotli:\nkt_missing_brotli_end:\n"
         ".section .note.GNU-stack,\"\",%progbits\n")
  else()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${source}/src/* ${source}/public/*)
    set(modules ${source}/node_modules/.package-lock.json)
    add_custom_command(
      OUTPUT ${modules}
      COMMAND ${KEYTURN_NPM} ci --no-audit --no-fund --loglevel=error
      DEPENDS ${source}/package.json ${source}/package-lock.json
      WORKING_DIRECTORY ${source}
      COMMENT "Fetching the console's packages")
    add_custom_command(
      OUTPUT ${out}/console_assets.inc ${out}/assets.S
      COMMAND ${KEYTURN_NODE} build.mjs ${out}
      DEPENDS ${modules} ${sources} ${source}/build.mjs ${source}/embed.mjs ${source}/index.html
              ${source}/tsconfig.json
      WORKING_DIRECTORY ${source}
      COMMENT "Building the console")
  endif()
  target_sources(${target} PRIVATE ${out}/assets.S ${out}/console_assets.inc)
  target_include_directories(${target} PRIVATE ${out})
endfunction()
