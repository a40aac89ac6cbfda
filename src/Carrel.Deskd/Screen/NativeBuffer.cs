using System.Runtime.InteropServices;

namespace Carrel.Deskd.Screen;

/// <summary>
/// A picture's worth of memory outside the garbage collector's heap, so that megabytes used for milliseconds go back to
/// the system and do not grow it.
/// </summary>
internal sealed unsafe class NativeBuffer(int size) : IDisposable
{
    private byte* _pointer = (byte*)NativeMemory.Alloc((nuint)size);

    public byte* Pointer => _pointer;

    public int Size => size;

    public void Dispose()
    {
        NativeMemory.Free(_pointer);
        _pointer = null;
    }
}
