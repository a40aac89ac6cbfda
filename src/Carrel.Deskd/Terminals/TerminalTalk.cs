using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Terminals;

/// <summary>
/// One socket and one terminal: what is typed goes in as fast as the program takes it, what is shown goes out as fast as the
/// client takes it. A client that reads slowly holds up the program, never fills memory.
/// </summary>
internal sealed class TerminalTalk(JsonSocket socket, Pty pty, TimeProvider time)
{
    private const int PieceBytes = 16 * 1024;
    private static readonly IntegerField Columns = TerminalEndpoint.Columns with { Required = true };
    private static readonly IntegerField Rows = TerminalEndpoint.Rows with { Required = true };
    private static readonly TextField Data = new("data", "What is typed.", true, JsonSocket.MaxMessageBytes);
    // A program that reads nothing, and a client that goes on typing: past this much the client waits, and past this long
    // it is told, so that pings, a resize and its going away are still seen.
    private const int MostWaiting = 1024 * 1024;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly Pipe _typed = new(new PipeOptions(pauseWriterThreshold: MostWaiting, resumeWriterThreshold: MostWaiting / 2, useSynchronizationContext: false));
    private Task _room = Task.CompletedTask;
    private bool _stuck;

    /// <summary>Returns when the program has ended or the client has gone; the terminal is then to be disposed.</summary>
    public async Task RunAsync()
    {
        var (receiving, feeding, showing) = (ReceiveAsync(), FeedAsync(), ShowAsync());
        if (await Task.WhenAny(receiving, showing) == showing && await showing)
        {
            await TellEndAsync(await pty.Exited);
        }

        pty.Close();
        await Task.WhenAll(receiving, feeding, showing);
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (await socket.ReceiveAsync() is { } message)
            {
                await HandleAsync(message);
            }
        }
        finally
        {
            await _typed.Writer.CompleteAsync();
            pty.Close();
        }
    }

    private async Task HandleAsync(JsonElement message)
    {
        var type = message.GetProperty("type"u8);
        var fields = new Body(message);
        if (type.ValueEquals("input"u8))
        {
            await TakeAsync(fields);
        }
        else if (type.ValueEquals("resize"u8))
        {
            var (columns, rows) = (fields.Read(Columns), fields.Read(Rows));
            if (fields.Problem is null)
            {
                pty.Resize(columns, rows);
            }
        }
        else
        {
            await TellErrorAsync("the type of a message is input, resize or ping");
        }

        if (fields.Complaint is { } complaint)
        {
            await TellErrorAsync(complaint);
        }
    }

    private async Task TakeAsync(Body fields)
    {
        var text = fields.Read(Data);
        if (!await HasRoomAsync())
        {
            await TellErrorAsync($"the program does not read: {Encoding.UTF8.GetByteCount(text)} bytes of input were dropped, {MostWaiting} wait");
            return;
        }

        Encoding.UTF8.GetBytes(text, _typed.Writer);
        _room = _typed.Writer.FlushAsync().AsTask();
    }

    private async Task<bool> HasRoomAsync()
    {
        if (!_room.IsCompleted && !_stuck)
        {
            await Task.WhenAny(_room, Task.Delay(LongestWait, time));
        }

        _stuck = !_room.IsCompleted;
        return !_stuck;
    }

    private async Task FeedAsync()
    {
        while (true)
        {
            var read = await _typed.Reader.ReadAsync();
            foreach (var piece in read.Buffer)
            {
                await pty.WriteAsync(piece);
            }

            _typed.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>True when everything that the program wrote was sent, false when nobody takes it.</summary>
    private async Task<bool> ShowAsync()
    {
        var (bytes, characters) = (new byte[PieceBytes], new char[PieceBytes + 8]);
        // Keeps the beginning of a character until its end has come; what is no UTF-8 becomes U+FFFD.
        var decoder = Encoding.UTF8.GetDecoder();
        try
        {
            int count;
            do
            {
                count = await pty.ReadAsync(bytes);
                var length = decoder.GetChars(bytes.AsSpan(0, count), characters, flush: count == 0);
                if (length > 0)
                {
                    await socket.SendAsync(json => WriteOutput(json, characters.AsSpan(0, length)));
                }
            }
            while (count > 0);
            return pty.Exited.IsCompleted;
        }
        catch (Exception gone) when (JsonSocket.IsGone(gone))
        {
            return false;
        }
    }

    private async Task TellEndAsync(int exitCode)
    {
        try
        {
            await socket.SendAsync(json =>
            {
                json.WriteString("type"u8, "exit"u8);
                json.WriteNumber("code"u8, exitCode);
            });
            await socket.CloseAsync(1000, "");
        }
        catch (Exception gone) when (JsonSocket.IsGone(gone))
        {
            // Then nobody wants to know.
        }
    }

    private async Task TellErrorAsync(string message)
    {
        try
        {
            await socket.SendErrorAsync(message);
        }
        catch (Exception gone) when (JsonSocket.IsGone(gone))
        {
            // The next receive finds the same.
        }
    }

    private static void WriteOutput(Utf8JsonWriter json, ReadOnlySpan<char> text)
    {
        json.WriteString("type"u8, "output"u8);
        json.WriteString("data"u8, text);
    }
}
