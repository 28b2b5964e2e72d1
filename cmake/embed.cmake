# pj_embed(TARGET SYMBOL FILE): compiles FILE into TARGET as the arrays
#   const unsigned char pj_embedded_SYMBOL[]   (aligned to a cache line)
#   const unsigned int pj_embedded_SYMBOL_size
# with the assembler's .incbin, which every supported tool chain has and which takes no time.
function(pj_embed target symbol file)
  set(source ${CMAKE_BINARY_DIR}/generated/${target}/${symbol}.S)
  file(WRITE ${source}.new
       "  .section .rodata
  .global pj_embedded_${symbol}
  .global pj_embedded_${symbol}_size
  .balign 64
pj_embedded_${symbol}:
  .incbin \"${CMAKE_SOURCE_DIR}/${file}\"
.Lend_${symbol}:
  .balign 4
pj_embedded_${symbol}_size:
  .long .Lend_${symbol} - pj_embedded_${symbol}
  .section .note.GNU-stack,\"\",%progbits
")
  file(COPY_FILE ${source}.new ${source} ONLY_IF_DIFFERENT)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
