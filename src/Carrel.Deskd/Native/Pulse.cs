using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>libpulse, the part that records and watches. Every call but those on the loop itself wants the loop's lock.</summary>
internal static unsafe partial class Pulse
{
    private const string Library = "libpulse.so.0";

    public const int PA_CONTEXT_READY = 4;
    public const int PA_CONTEXT_FAILED = 5;
    public const int PA_CONTEXT_TERMINATED = 6;
    public const int PA_CONTEXT_NOAUTOSPAWN = 1;
    public const int PA_STREAM_READY = 2;
    public const int PA_STREAM_FAILED = 3;
    public const int PA_STREAM_TERMINATED = 4;
    public const int PA_STREAM_ADJUST_LATENCY = 0x2000;
    public const int PA_SAMPLE_S16LE = 3;
    public const int PA_SUBSCRIPTION_MASK_SINK_INPUT = 4;
    public const int PA_IO_EVENT_INPUT = 1;

    [LibraryImport(Library)]
    public static partial nint pa_threaded_mainloop_new();

    [LibraryImport(Library)]
    public static partial int pa_threaded_mainloop_start(nint loop);

    [LibraryImport(Library)]
    public static partial void pa_threaded_mainloop_stop(nint loop);

    [LibraryImport(Library)]
    public static partial void pa_threaded_mainloop_free(nint loop);

    [LibraryImport(Library)]
    public static partial void pa_threaded_mainloop_lock(nint loop);

    [LibraryImport(Library)]
    public static partial void pa_threaded_mainloop_unlock(nint loop);

    [LibraryImport(Library)]
    public static partial int pa_threaded_mainloop_in_thread(nint loop);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void pa_threaded_mainloop_set_name(nint loop, string name);

    [LibraryImport(Library)]
    public static partial MainloopApi* pa_threaded_mainloop_get_api(nint loop);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint pa_context_new(MainloopApi* api, string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int pa_context_connect(nint context, string server, int flags, nint spawnApi);

    [LibraryImport(Library)]
    public static partial void pa_context_disconnect(nint context);

    [LibraryImport(Library)]
    public static partial void pa_context_unref(nint context);

    [LibraryImport(Library)]
    public static partial int pa_context_get_state(nint context);

    [LibraryImport(Library)]
    public static partial int pa_context_errno(nint context);

    [LibraryImport(Library)]
    public static partial nint pa_strerror(int error);

    [LibraryImport(Library)]
    public static partial void pa_context_set_state_callback(nint context, delegate* unmanaged<nint, nint, void> callback, nint data);

    [LibraryImport(Library)]
    public static partial void pa_context_set_subscribe_callback(nint context, delegate* unmanaged<nint, int, uint, nint, void> callback, nint data);

    [LibraryImport(Library)]
    public static partial nint pa_context_subscribe(nint context, int mask, delegate* unmanaged<nint, int, nint, void> callback, nint data);

    [LibraryImport(Library)]
    public static partial nint pa_context_get_sink_input_info_list(
        nint context, delegate* unmanaged<nint, SinkInputInfo*, int, nint, void> callback, nint data);

    [LibraryImport(Library)]
    public static partial void pa_operation_cancel(nint operation);

    [LibraryImport(Library)]
    public static partial void pa_operation_unref(nint operation);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint pa_stream_new(nint context, string name, SampleSpec* spec, nint channelMap);

    [LibraryImport(Library)]
    public static partial void pa_stream_unref(nint stream);

    [LibraryImport(Library)]
    public static partial nint pa_stream_get_context(nint stream);

    [LibraryImport(Library)]
    public static partial int pa_stream_get_state(nint stream);

    [LibraryImport(Library)]
    public static partial void pa_stream_set_state_callback(nint stream, delegate* unmanaged<nint, nint, void> callback, nint data);

    [LibraryImport(Library)]
    public static partial void pa_stream_set_read_callback(nint stream, delegate* unmanaged<nint, nuint, nint, void> callback, nint data);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int pa_stream_connect_record(nint stream, string device, BufferAttributes* attributes, int flags);

    [LibraryImport(Library)]
    public static partial int pa_stream_disconnect(nint stream);

    [LibraryImport(Library)]
    public static partial int pa_stream_peek(nint stream, byte** data, nuint* count);

    [LibraryImport(Library)]
    public static partial int pa_stream_drop(nint stream);

    /// <summary>What is wrong with a context, in words.</summary>
    public static string Problem(nint context) => Marshal.PtrToStringUTF8(pa_strerror(pa_context_errno(context))) ?? "unknown error";

    /// <summary>The loop's table of functions, as far as we use it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MainloopApi
    {
        public nint UserData;
        public delegate* unmanaged<MainloopApi*, int, int, delegate* unmanaged<MainloopApi*, nint, int, int, nint, void>, nint, nint> IoNew;
        public nint IoEnable;
        public delegate* unmanaged<nint, void> IoFree;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct SampleSpec
    {
        public int Format;
        public uint Rate;
        public byte Channels;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct BufferAttributes
    {
        public uint MaxLength;
        public uint TargetLength;
        public uint Prebuffer;
        public uint MinimumRequest;
        public uint FragmentSize;
    }

    /// <summary>pa_sink_input_info up to what we look at.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SinkInputInfo
    {
        public uint Index;
        public nint Name;
        public uint OwnerModule;
        public uint Client;
        public uint Sink;
        public SampleSpec Spec;
        public fixed uint ChannelMap[33];
        public fixed uint Volume[33];
        public ulong BufferMicroseconds;
        public ulong SinkMicroseconds;
        public nint ResampleMethod;
        public nint Driver;
        public int Mute;
        public nint Properties;
        public int Corked;
    }
}
