# bool CertwireGuardedCall(void (*function)(void*), void* argument, Fault* fault)
#
# GCC has no __try, so the frame with the handler is written by hand. The scope table says: while the
# call runs, ask CertwireFaultFilter; when it says yes, go on at .Lfault with this frame's stack.
    .text
    .globl CertwireGuardedCall
    .def CertwireGuardedCall; .scl 2; .type 32; .endef
    .seh_proc CertwireGuardedCall
CertwireGuardedCall:
    subq $56, %rsp
    .seh_stackalloc 56
    .seh_endprologue
    .seh_handler __C_specific_handler, @except
    .seh_handlerdata
    .long 1
    .rva .Lcall, .Lcall_end, CertwireFaultFilter, .Lfault
    .text
    movq %r8, 32(%rsp)          # where the filter finds the Fault
    movq %rcx, %rax
    movq %rdx, %rcx
.Lcall:
    call *%rax
    nop                         # the return address has to lie within the scope
.Lcall_end:
    movl $1, %eax
    jmp .Lreturn
.Lfault:
    xorl %eax, %eax
.Lreturn:
    addq $56, %rsp
    ret
    .seh_endproc
