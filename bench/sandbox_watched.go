package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"horizon-realtime/router/event"
	"horizon-realtime/sdk/abi"
)

// watched is the same guest as it left the compiler, bounded by wazero's own
// means: a context with a deadline for each call.
type watched struct {
	runtime wazero.Runtime
	mem     api.Memory
	event   api.Function
	block   []byte // the scratch block, always the same
	scratch uint32
	stack   [1]uint64
	payload []byte
}

// watchedTimeout is far beyond what a call takes, so that a busy machine ends
// none; how long it is costs nothing.
const watchedTimeout = 10 * time.Second

func newWatched(module []byte, guest string, n *event.Notification) (*watched, error) {
	ctx := context.Background()
	w := &watched{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))}
	if err := w.start(ctx, module); err != nil {
		w.close()
		return nil, fmt.Errorf("start the guest in wazero: %w", err)
	}
	w.block = scratchBlock(append([]string{n.Type, n.Publisher, n.Priority, n.MessageID, n.AtText, n.Project, n.User, n.RequestID},
		wantedFields(guest, n)...))
	return w, nil
}

func (w *watched) start(ctx context.Context, module []byte) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, w.runtime); err != nil {
		return err
	}
	// None of the imports is called after the start.
	imports := w.runtime.NewHostModuleBuilder(abi.Module)
	none := func(name string, results []api.ValueType, params ...api.ValueType) {
		imports.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) {
			if len(stack) > 0 {
				stack[0] = 0
			}
		}), params, results).Export(name)
	}
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	none(abi.ImportSubscribe, nil, i32, i32)
	none(abi.ImportConfig, []api.ValueType{i32}, i32, i32)
	none(abi.ImportLog, nil, i32, i32, i32)
	none(abi.ImportField, []api.ValueType{i32}, i32, i32, i32, i32)
	none(abi.ImportRaw, []api.ValueType{i32}, i32, i32)
	none(abi.ImportKVGet, []api.ValueType{i64}, i32, i32, i32, i32)
	none(abi.ImportKVSet, []api.ValueType{i32}, i32, i32, i32, i32, i32, i32)
	none(abi.ImportKVDelete, []api.ValueType{i32}, i32, i32)
	none(abi.ImportNow, []api.ValueType{i64})
	if _, err := imports.Instantiate(ctx); err != nil {
		return err
	}
	mod, err := w.runtime.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return err
	}
	w.mem, w.event = mod.Memory(), mod.ExportedFunction(abi.Event)
	answer, err := mod.ExportedFunction(abi.Init).Call(ctx)
	if err != nil {
		return err
	}
	w.scratch = uint32(answer[0] >> 32)
	return nil
}

// scratchBlock lays out what package guest would: strings, absent if empty.
func scratchBlock(fields []string) []byte {
	b := make([]byte, abi.HeaderSize+len(fields)*abi.EntrySize)
	for i, text := range fields {
		kind := uint32(abi.String)
		if text == "" {
			kind = abi.Absent
		}
		entry := b[abi.HeaderSize+i*abi.EntrySize:]
		binary.LittleEndian.PutUint32(entry, uint32(len(b)))
		binary.LittleEndian.PutUint32(entry[4:], kind<<abi.LengthBits|uint32(len(text)))
		b = append(b, text...)
	}
	binary.LittleEndian.PutUint32(b[abi.HeaderLength:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[abi.HeaderCount:], uint32(len(fields)-abi.StandardFields))
	return b
}

// call writes the block, calls the guest, and copies what it answers.
func (w *watched) call(emissions int) error {
	ctx, cancel := context.WithTimeout(context.Background(), watchedTimeout)
	defer cancel()
	if !w.mem.Write(w.scratch, w.block) {
		return fmt.Errorf("the scratch buffer is out of memory")
	}
	if err := w.event.CallWithStack(ctx, w.stack[:]); err != nil {
		return err
	}
	answer := w.stack[0]
	if (answer != 0) != (emissions > 0) {
		return fmt.Errorf("wazero's guest answered %#x", answer)
	}
	if answer != 0 {
		block, _ := w.mem.Read(uint32(answer>>32), uint32(answer))
		w.payload = append(w.payload[:0], block...)
	}
	return nil
}

func (w *watched) close() { w.runtime.Close(context.Background()) }
