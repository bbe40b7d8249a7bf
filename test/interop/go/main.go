// Reads messages of brokers with the CloudEvents SDK for Go, and writes what it understood and the message it makes of
// it. One JSON object per line on standard input and output; test/interop/support/sdk-program.ts describes both.
package main

import (
	"context"
	"encoding/json"
	"io"
	"os"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
)

type content struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

type question struct {
	content
	Broker string `json:"broker"`
	Mode   string `json:"mode"`
}

type answer struct {
	TimeMs     int64             `json:"timeMs"`
	Attributes map[string]string `json:"attributes"`
	Again      content           `json:"again"`
}

var prefixes = map[string]string{"kafka": "ce_", "rabbitmq": "ce-"}

func main() {
	lines := json.NewDecoder(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		var next question
		err := lines.Decode(&next)
		if err == io.EOF {
			return
		}
		if err == nil {
			var given answer
			if given, err = answerTo(next); err == nil {
				err = answers.Encode(given)
			}
		}
		if err != nil {
			panic(err)
		}
	}
}

func answerTo(asked question) (answer, error) {
	ctx := context.Background()
	read, err := binding.ToEvent(ctx, newMessage(asked.content, prefixes[asked.Broker]))
	if err != nil {
		return answer{}, err
	}
	if err := read.Validate(); err != nil {
		return answer{}, err
	}
	attributes, err := textsOf(*read)
	if err != nil {
		return answer{}, err
	}
	again, err := write(ctx, *read, asked.Mode, prefixes[asked.Broker])
	return answer{TimeMs: read.Time().UnixMilli(), Attributes: attributes, Again: again}, err
}

// textsOf returns all attributes except the time.
func textsOf(read event.Event) (map[string]string, error) {
	texts := map[string]string{
		"specversion":     read.SpecVersion(),
		"id":              read.ID(),
		"source":          read.Source(),
		"type":            read.Type(),
		"datacontenttype": read.DataContentType(),
		"dataschema":      read.DataSchema(),
	}
	if read.Subject() != "" {
		texts["subject"] = read.Subject()
	}
	for name, value := range read.Extensions() {
		if text, isText := value.(string); isText {
			texts[name] = text
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		texts[name] = string(text)
	}
	return texts, nil
}
