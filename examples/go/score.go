// Scores a transaction with an engine's file, from Go.
//
//	go build -o score examples/go/score.go && ./score shop-engine.safetensors
//
// cgo sees covey.h, but no macros of braces: the covey_..._init functions fill the structs. What a struct points at lies
// in C's memory, as cgo asks for.
package main

/*
#cgo pkg-config: covey
#include <covey.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"os"
	"unsafe"
)

// failure is nil, or the message of a call that failed.
func failure(status C.covey_status, err *C.covey_error) error {
	if status == C.COVEY_OK {
		return nil
	}
	defer C.covey_error_destroy(err)
	return errors.New(C.GoString(C.covey_status_name(status)) + ": " + C.GoString(C.covey_error_message(err)))
}

// Memory that is freed at the end.
type arena struct{ kept []unsafe.Pointer }

func (a *arena) take(size int) unsafe.Pointer {
	memory := C.calloc(1, C.size_t(size))
	a.kept = append(a.kept, memory)
	return memory
}

func (a *arena) text(given string) *C.char {
	text := C.CString(given)
	a.kept = append(a.kept, unsafe.Pointer(text))
	return text
}

func (a *arena) free() {
	for _, memory := range a.kept {
		C.free(memory)
	}
}

// events makes a click stream of one transaction.
func events(engine *C.covey_engine, names []string, times []float64, a *arena) (C.covey_sequences, error) {
	var sequences C.covey_sequences
	var err *C.covey_error
	count := len(names)
	pointers := (*[1 << 20]*C.char)(a.take(8 * count))
	for index, name := range names {
		pointers[index] = a.text(name)
	}
	types := (*C.int32_t)(a.take(4 * count))
	vocabulary := C.covey_encoder_vocabulary(C.covey_engine_encoder(engine))
	status := C.covey_vocabulary_lookup(vocabulary, nil, &pointers[0], C.int64_t(count), types, &err)
	if failed := failure(status, err); failed != nil {
		return sequences, failed
	}
	seconds := (*[1 << 20]C.double)(a.take(8 * count))
	dwell := (*[1 << 20]C.double)(a.take(8 * count))
	for index, time := range times {
		seconds[index] = C.double(time)
		dwell[index] = C.double(math.NaN()) // Not measured.
	}
	offsets := (*[2]C.int64_t)(a.take(16))
	offsets[1] = C.int64_t(count)
	C.covey_sequences_init(&sequences, C.sizeof_covey_sequences)
	sequences.count = 1
	sequences.offsets = &offsets[0]
	sequences.types = types
	sequences.times = &seconds[0]
	sequences.dwell = &dwell[0]
	return sequences, nil
}

// missing makes one row of the features that the engine asks for, of which nothing is known.
func missing(engine *C.covey_engine, a *arena) C.covey_table {
	var table C.covey_table
	count := int(C.covey_engine_feature_count(engine))
	columns := (*[1 << 16]C.covey_column)(a.take(count * C.sizeof_covey_column))
	for index := 0; index < count; index++ {
		column := &columns[index]
		column.name = C.covey_engine_feature_name(engine, C.int64_t(index))
		column.kind = C.covey_engine_feature_kind(engine, C.int64_t(index))
		value := a.take(8)
		column.values = value
		switch column.kind {
		case C.COVEY_CATEGORICAL:
			*(*C.int32_t)(value) = -1
		case C.COVEY_BOOLEAN:
			*(*C.int8_t)(value) = -1
		default:
			*(*C.double)(value) = C.double(math.NaN())
		}
	}
	C.covey_table_init(&table, C.sizeof_covey_table)
	table.rows = 1
	table.column_count = C.int64_t(count)
	table.columns = &columns[0]
	return table
}

func run(path string) error {
	var a arena
	defer a.free()
	var engine *C.covey_engine
	var scores *C.covey_scores
	var err *C.covey_error
	status := C.covey_engine_load(nil, a.text(path), &engine, &err)
	if failed := failure(status, err); failed != nil {
		return failed
	}
	defer C.covey_engine_destroy(engine)

	sequences, failed := events(engine, []string{"home", "login", "gift", "pay"}, []float64{0, 2.5, 4, 9}, &a)
	if failed != nil {
		return failed
	}
	table := missing(engine, &a)
	status = C.covey_engine_score(engine, nil, &sequences, &table, &scores, &err)
	if failed := failure(status, err); failed != nil {
		return failed
	}
	defer C.covey_scores_destroy(scores)

	var score C.covey_score
	C.covey_score_init(&score, C.sizeof_covey_score)
	status = C.covey_scores_get(scores, 0, &score, &err)
	if failed := failure(status, err); failed != nil {
		return failed
	}
	fmt.Printf("Covey %s: risk %.3f, cluster %d\n", C.GoString(C.covey_version()), float64(score.risk), int64(score.cluster))
	for index := C.int64_t(0); index < score.reason_count; index++ {
		fmt.Println(" ", C.GoString(C.covey_scores_reason(scores, 0, index)))
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: score ENGINE")
		os.Exit(2)
	}
	if failed := run(os.Args[1]); failed != nil {
		fmt.Fprintln(os.Stderr, failed)
		os.Exit(1)
	}
}
