package main

import (
	"context"
	"io"
	"strings"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/binding/format"
	"github.com/cloudevents/sdk-go/v2/binding/spec"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

const contentType = "content-type"

// message is a message of a broker by the SDK's interface for bindings.
type message struct {
	content
	prefix  string
	format  format.Format
	version spec.Version
}

func newMessage(received content, prefix string) *message {
	specs := spec.WithPrefix(prefix)
	made := &message{content: received, prefix: prefix, format: format.Lookup(received.Headers[contentType])}
	if made.format == nil {
		made.version = specs.Version(received.Headers[specs.PrefixedSpecVersionName()])
	}
	return made
}

func (m *message) ReadEncoding() binding.Encoding {
	switch {
	case m.version != nil:
		return binding.EncodingBinary
	case m.format != nil:
		return binding.EncodingStructured
	}
	return binding.EncodingUnknown
}

func (m *message) ReadStructured(ctx context.Context, to binding.StructuredWriter) error {
	if m.format == nil {
		return binding.ErrNotStructured
	}
	return to.SetStructuredEvent(ctx, m.format, strings.NewReader(m.Body))
}

func (m *message) ReadBinary(_ context.Context, to binding.BinaryWriter) error {
	if m.version == nil {
		return binding.ErrNotBinary
	}
	for name, value := range m.Headers {
		if err := m.readHeader(to, name, value); err != nil {
			return err
		}
	}
	return to.SetData(strings.NewReader(m.Body))
}

func (m *message) readHeader(to binding.BinaryWriter, name, value string) error {
	if name == contentType {
		return to.SetAttribute(m.version.AttributeFromKind(spec.DataContentType), value)
	}
	if attribute := m.version.Attribute(name); attribute != nil {
		return to.SetAttribute(attribute, value)
	}
	if strings.HasPrefix(name, m.prefix) {
		return to.SetExtension(strings.TrimPrefix(name, m.prefix), value)
	}
	return nil
}

func (m *message) GetAttribute(kind spec.Kind) (spec.Attribute, interface{}) {
	attribute := m.version.AttributeFromKind(kind)
	return attribute, m.Headers[attribute.PrefixedName()]
}

func (m *message) GetExtension(name string) interface{} { return m.Headers[m.prefix+name] }

func (m *message) Finish(error) error { return nil }

// writer takes the message that the SDK makes of an event.
type writer struct {
	content
	prefix string
}

func write(ctx context.Context, read event.Event, mode, prefix string) (content, error) {
	to := &writer{content: content{Headers: map[string]string{}}, prefix: prefix}
	if mode == "structured" {
		ctx = binding.WithForceStructured(ctx)
	} else {
		ctx = binding.WithForceBinary(ctx)
	}
	_, err := binding.Write(ctx, binding.ToMessage(&read), to, to)
	return to.content, err
}

func (w *writer) SetStructuredEvent(_ context.Context, by format.Format, from io.Reader) error {
	w.Headers[contentType] = by.MediaType()
	return w.SetData(from)
}

func (w *writer) Start(context.Context) error { return nil }

func (w *writer) SetAttribute(attribute spec.Attribute, value interface{}) error {
	name := w.prefix + attribute.Name()
	if attribute.Kind() == spec.DataContentType {
		name = contentType
	}
	return w.set(name, value)
}

func (w *writer) SetExtension(name string, value interface{}) error {
	return w.set(w.prefix+name, value)
}

func (w *writer) set(header string, value interface{}) error {
	if value == nil {
		return nil
	}
	text, err := types.Format(value)
	w.Headers[header] = text
	return err
}

func (w *writer) SetData(from io.Reader) error {
	bytes, err := io.ReadAll(from)
	w.Body = string(bytes)
	return err
}

func (w *writer) End(context.Context) error { return nil }
